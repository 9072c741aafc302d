//! Lambda archives of the functions' executables, and the template that refers to them.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Error;
use crate::binaries::LOGICAL_IDS;

/// An archive that contains the executable as `bootstrap`. It is not compressed, because it is only sent to the local
/// emulator.
pub(crate) fn archive(executable: &Path) -> Result<Vec<u8>, Error> {
    if !executable.is_file() {
        return Err(Error::BinaryMissing { path: executable.to_owned() });
    }
    let bytes = fs::read(executable).map_err(Error::io("cannot read", executable))?;
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len() + 256)));
    let pack = writer.start_file("bootstrap", options).and_then(|()| {
        writer.write_all(&bytes)?;
        writer.finish()
    });
    let archive = pack.map_err(|source| Error::Package { path: executable.to_owned(), source })?;
    Ok(archive.into_inner())
}

/// The key of a function's archive in the code bucket.
pub(crate) fn archive_key(function: &str) -> String {
    format!("{function}.zip")
}

/// The template with the address of each function's archive in `bucket` as its `CodeUri`, as `sam package` writes it.
/// All other lines are unchanged.
///
/// This works by lines: a line indented by two spaces names a resource, and the `CodeUri:` lines after it belong to
/// that resource. It needs no YAML parser that supports CloudFormation's tags.
pub(crate) fn point_at_archives(template: &str, bucket: &str) -> Result<String, Error> {
    let mut resource = "";
    let mut found = 0;
    let mut lines = Vec::new();
    for line in template.lines() {
        resource = resource_name(line).unwrap_or(resource);
        if LOGICAL_IDS.contains(&resource) && line.trim_start().starts_with("CodeUri:") {
            let indent = &line[..line.len() - line.trim_start().len()];
            lines.push(format!("{indent}CodeUri: s3://{bucket}/{}", archive_key(resource)));
            found += 1;
        } else {
            lines.push(line.to_owned());
        }
    }
    if found == LOGICAL_IDS.len() { Ok(lines.join("\n")) } else { Err(Error::TemplateCode { found }) }
}

fn resource_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    #[test]
    fn only_the_functions_code_changes_in_the_template() {
        let pointed = point_at_archives(TEMPLATE, "code").unwrap();
        let changed: Vec<_> = TEMPLATE.lines().zip(pointed.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(
            changed,
            [
                ("      CodeUri: .", "      CodeUri: s3://code/EvaluationFunction.zip"),
                ("      CodeUri: .", "      CodeUri: s3://code/DeletionFunction.zip"),
                ("      CodeUri: .", "      CodeUri: s3://code/GenerationFunction.zip"),
            ]
        );
    }

    #[test]
    fn a_template_without_the_functions_is_rejected() {
        let refused = point_at_archives("Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n", "code");
        assert!(matches!(refused, Err(Error::TemplateCode { found: 0 })));
    }

    #[test]
    fn a_missing_executable_names_the_build_command() {
        let message = archive(Path::new("/nowhere/evaluation")).unwrap_err().to_string();
        assert!(message.contains("/nowhere/evaluation") && message.contains("cargo build"), "{message}");
    }
}
