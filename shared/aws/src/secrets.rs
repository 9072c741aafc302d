//! The keys of the paid services.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;

use super::AwsError;

/// A key, or its location.
#[derive(Debug, Clone)]
pub enum Secret {
    /// The environment, or a file that it names, contains the key.
    Given(SecretString),
    /// Secrets Manager contains the key.
    Stored { arn: String },
}

/// The remedy if a key can't be read.
pub const REMEDY: &str = "see that the secret lies in this region, is named by its ARN and holds the key and \
    nothing else, and that SecretsKmsKeyArn is given if it is encrypted with a key of your own; then deploy again";

/// Reads the key.
///
/// # Errors
/// If Secrets Manager fails, or the secret contains no text.
pub async fn reveal(secret: Secret, sdk: &SdkConfig) -> Result<SecretString, AwsError> {
    let arn = match secret {
        Secret::Given(value) => return Ok(value),
        Secret::Stored { arn } => arn,
    };
    let found = Client::new(sdk).get_secret_value().secret_id(&arn).send().await;
    let found = found.map_err(|error| AwsError::of("Secrets Manager", "GetSecretValue", &arn, &error))?;
    let no_text = || AwsError::new("Secrets Manager", "GetSecretValue", &arn, "the secret contains no text");
    found.secret_string.filter(|text| !text.trim().is_empty()).map(|text| text.trim().into()).ok_or_else(no_text)
}
