//! The error of a failed call to AWS.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use domain::disposition::Disposition;

/// The most characters of a cause that are quoted.
const MAX_QUOTED: usize = 400;

/// A call to AWS that failed after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{service} {operation} of {target} failed: {cause}")]
pub struct AwsError {
    service: &'static str,
    operation: &'static str,
    target: String,
    cause: Cause,
}

/// Why a call failed, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub kind: CauseKind,
    /// A clause without the remedy.
    pub text: String,
    /// What to do about it; `None` if that depends on the call.
    pub remedy: Option<String>,
}

/// The sort of cause. All but the last two concern every further call too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseKind {
    /// There are no credentials.
    NoCredentials,
    /// The credentials were valid once.
    Expired,
    /// AWS does not know the credentials.
    UnknownCredentials,
    /// No region is configured.
    NoRegion,
    /// No connection to AWS.
    Unreachable,
    /// The credentials may not make this call.
    Denied,
    Other,
}

/// Error codes by what they mean, of all services and protocols.
const CODES: [(CauseKind, &[&str]); 3] = [
    (
        CauseKind::Expired,
        &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "UnauthorizedException"],
    ),
    (
        CauseKind::UnknownCredentials,
        &[
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
    ),
    (
        CauseKind::Denied,
        &["AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "UnauthorizedOperation"],
    ),
];

/// Words of the SDK's own errors, in lower case, by what they mean. The first that occurs decides.
const WORDS: [(CauseKind, &[&str]); 3] = [
    (
        CauseKind::Expired,
        &["token is expired", "token has expired", "session has expired", "credentials were expired", "expired token"],
    ),
    (
        CauseKind::NoCredentials,
        &[
            "no providers in chain",
            "credentialsnotloaded",
            "credential provider was not enabled",
            "while loading credentials",
            "could not find profile",
            "no credentials",
        ],
    ),
    (CauseKind::NoRegion, &["missing region", "region must be set"]),
];

impl AwsError {
    /// The required response to this failure: the next delivery may succeed, and after the last one the dead-letter
    /// queue keeps the message.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        Disposition::Retry
    }

    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    pub(crate) fn new(
        service: &'static str,
        operation: &'static str,
        target: impl Into<String>,
        cause: impl Into<String>,
    ) -> Self {
        let cause = Cause { kind: CauseKind::Other, text: cause.into(), remedy: None };
        Self { service, operation, target: target.into(), cause }
    }

    /// The failure of this operation on this target.
    #[must_use]
    pub fn of<E>(
        service: &'static str,
        operation: &'static str,
        target: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Self { service, operation, target: target.to_owned(), cause: Cause::of(service, operation, error) }
    }
}

impl Cause {
    fn of<E>(service: &str, operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let chain = chain(error);
        let kind = kind_of(error.code(), status, &chain);
        let quoted = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => innermost(&chain, status),
        };
        let kind = if matches!(error, SdkError::DispatchFailure(_)) && kind == CauseKind::Other {
            CauseKind::Unreachable
        } else {
            kind
        };
        Self { kind, text: in_words(kind, quoted), remedy: remedy(kind, service, operation) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}; {remedy}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// The texts of an error and of its causes.
fn chain(error: &dyn Error) -> Vec<String> {
    let (mut texts, mut cause) = (vec![error.to_string()], error.source());
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

/// What happened, in the words of whatever noticed it first, without the layers of the SDK around it.
fn innermost(chain: &[String], status: Option<u16>) -> String {
    match status {
        Some(status) if status >= 300 => format!("it answers with the status {status}"),
        _ => {
            let text = chain.iter().rev().find(|text| !text.trim().is_empty()).map_or("", String::as_str);
            // A list of every place without credentials follows.
            let text = text.split(". Attempted:").next().unwrap_or(text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

fn kind_of(code: Option<&str>, status: Option<u16>, chain: &[String]) -> CauseKind {
    let by_code = code.and_then(|code| CODES.iter().find(|(_, codes)| codes.contains(&code)));
    if let Some((kind, _)) = by_code {
        return *kind;
    }
    // The answer to a HEAD request has no body, and so no code.
    if code.is_none() && status == Some(403) {
        return CauseKind::Denied;
    }
    if status.is_some() {
        return CauseKind::Other;
    }
    let text = chain.join("\n").to_lowercase();
    let by_words = WORDS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    by_words.map_or(CauseKind::Other, |(kind, _)| *kind)
}

fn in_words(kind: CauseKind, quoted: String) -> String {
    let quoted: String = quoted.chars().take(MAX_QUOTED).collect();
    match kind {
        CauseKind::NoCredentials => format!("no AWS credentials were found ({quoted})"),
        CauseKind::Expired => format!("the AWS credentials have expired ({quoted})"),
        CauseKind::UnknownCredentials => format!("AWS does not accept the credentials ({quoted})"),
        CauseKind::NoRegion => "no AWS region is set".to_owned(),
        CauseKind::Unreachable => format!("AWS can't be reached ({quoted})"),
        CauseKind::Denied | CauseKind::Other => quoted,
    }
}

fn remedy(kind: CauseKind, service: &str, operation: &str) -> Option<String> {
    Some(match kind {
        CauseKind::NoCredentials => {
            "log in, such as with `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned()
        }
        CauseKind::Expired => {
            "log in again, such as with `aws sso login`, or set AWS_SESSION_TOKEN and its keys anew".to_owned()
        }
        CauseKind::UnknownCredentials => {
            "check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`".to_owned()
        }
        CauseKind::NoRegion => "set AWS_REGION, or the region of your profile".to_owned(),
        CauseKind::Unreachable => "check the connection, the region and AWS_ENDPOINT_URL".to_owned(),
        CauseKind::Denied => format!("permit {} to the acting user or role", actions(service, operation)),
        CauseKind::Other => return None,
    })
}

/// The IAM actions that an operation needs, which often have other names.
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/>.
fn actions(service: &str, operation: &str) -> String {
    match (service, operation) {
        ("S3", "HeadObject" | "GetObject") => "s3:GetObject and s3:ListBucket".to_owned(),
        ("S3", "ListObjectsV2") => "s3:ListBucket".to_owned(),
        ("S3", "CopyObject") => "s3:GetObject and s3:PutObject".to_owned(),
        ("SQS", "SendMessageBatch") => "sqs:SendMessage".to_owned(),
        ("SQS", "ChangeMessageVisibilityBatch") => "sqs:ChangeMessageVisibility".to_owned(),
        ("DynamoDB", "TransactWriteItems") => {
            "dynamodb:PutItem, dynamodb:UpdateItem and dynamodb:DeleteItem".to_owned()
        }
        _ => format!("{}:{operation}", service.to_lowercase().replace(' ', "")),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ConnectorError;
    use aws_sdk_s3::operation::head_object::HeadObjectError;

    use super::*;

    type Failed = SdkError<HeadObjectError, HttpResponse>;

    fn dispatch(words: &'static str) -> Failed {
        SdkError::dispatch_failure(ConnectorError::other(words.into(), None))
    }

    fn answered(status: u16, code: Option<&str>, message: &str) -> Failed {
        let mut metadata = aws_sdk_s3::error::ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code).message(message);
        }
        let response = HttpResponse::new(status.try_into().unwrap(), aws_sdk_s3::primitives::SdkBody::empty());
        SdkError::service_error(HeadObjectError::generic(metadata.build()), response)
    }

    #[test]
    fn credentials_are_explained_in_one_line() {
        use CauseKind::{Denied, Expired, NoCredentials, NoRegion, Other, UnknownCredentials, Unreachable};
        for (error, kind, words, remedy) in [
            (answered(400, Some("ExpiredToken"), "The token is expired"), Expired, "have expired", "aws sso login"),
            (
                answered(403, Some("InvalidClientTokenId"), "no such key"),
                UnknownCredentials,
                "does not accept",
                "AWS_PROFILE",
            ),
            (
                answered(403, Some("AccessDenied"), "not authorized"),
                Denied,
                "AccessDenied: not authorized",
                "s3:GetObject",
            ),
            (answered(403, None, ""), Denied, "status 403", "permit s3:GetObject"),
            (answered(500, Some("InternalError"), "try again"), Other, "InternalError: try again", ""),
            (
                dispatch("no providers in chain provided credentials"),
                NoCredentials,
                "no AWS credentials",
                "AWS_PROFILE",
            ),
            (dispatch("the SSO token has expired"), Expired, "have expired", "aws sso login"),
            (dispatch("Connection refused (os error 111)"), Unreachable, "Connection refused", "AWS_ENDPOINT_URL"),
            (
                SdkError::construction_failure("Invalid Configuration: Missing Region"),
                NoRegion,
                "no AWS region",
                "AWS_REGION",
            ),
        ] {
            let error = AwsError::of("S3", "HeadObject", "s3://bucket/key", &error);
            let text = error.to_string();
            assert_eq!(error.cause().kind, kind, "{text}");
            assert!(text.contains(words) && text.contains(remedy), "{text}");
            assert!(text.lines().count() == 1 && !text.contains("ConnectorError"), "{text}");
        }
    }
}
