//! The functions' executables.

use local_stack::Binaries;

use crate::progress::Waiting;

/// The functions that lie beside this program, if they are of its build; else they are compiled, which is said.
///
/// # Errors
/// If they can't be compiled.
pub async fn binaries() -> anyhow::Result<Binaries> {
    if let Some(binaries) = Binaries::beside_program(balancer::BUILD)? {
        return Ok(binaries);
    }
    let waiting = Waiting::start("compiling the functions (first time: about 10 minutes)");
    let binaries = Binaries::compile(balancer::BUILD).await?;
    waiting.finish();
    Ok(binaries)
}
