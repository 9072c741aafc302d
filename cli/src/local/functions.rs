//! The functions' executables.

use local_stack::Binaries;

use crate::progress::Spinner;

/// The functions beside this program if they belong to its build; otherwise compiles them and reports that.
pub async fn binaries() -> anyhow::Result<Binaries> {
    if let Some(binaries) = Binaries::beside_program(handlers::BUILD)? {
        return Ok(binaries);
    }
    let spinner = Spinner::start("compiling the functions (may take a few minutes)");
    let binaries = Binaries::compile(handlers::BUILD).await?;
    spinner.finish();
    Ok(binaries)
}
