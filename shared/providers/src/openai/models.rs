//! The list of models of a service with OpenAI's API, which costs nothing to read.
//!
//! Source: <https://platform.openai.com/docs/api-reference/models/list>. vLLM, SGLang, LM Studio, Ollama, OpenRouter and
//! others have it too.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::checks::Check;
use crate::generator::ServiceNames;
use crate::http::{BoundedClient, HttpError, Response};

const TIMEOUT: Duration = Duration::from_secs(20);

/// The size limit of the list. That of a service with hundreds of models has less than a megabyte.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How many models a message names.
const MOST_NAMED: usize = 8;

/// What a service says about its models.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Their ids.
    Models(Vec<String>),
    /// It has no such list.
    Missing(StatusCode),
    /// The response is something else.
    Unreadable,
}

/// The variables that the operator may have to correct.
pub(crate) struct Variables {
    pub(crate) model: &'static str,
    pub(crate) base_url: &'static str,
}

impl From<ServiceNames> for Variables {
    fn from(ServiceNames { model, base_url, .. }: ServiceNames) -> Self {
        Self { model, base_url }
    }
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

/// Requests the list.
pub(crate) async fn request(http: &BoundedClient, base_url: &str, key: &str) -> Result<Response, HttpError> {
    let request = http.client().get(format!("{base_url}/models")).bearer_auth(key).timeout(TIMEOUT);
    http.send_limited(request, MAX_BYTES).await
}

impl Listing {
    /// The list in a response; `None` if the response is a failure of another meaning, such as a rejected key.
    pub(crate) fn read(response: &Response) -> Option<Self> {
        match response.status {
            status if status.is_success() => {
                Some(serde_json::from_slice::<ModelList>(&response.body).map_or(Self::Unreadable, |list| {
                    Self::Models(list.data.into_iter().map(|model| model.id).collect())
                }))
            }
            status @ (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) => {
                Some(Self::Missing(status))
            }
            _ => None,
        }
    }

    /// Whether the service has this model.
    pub(crate) fn to_check(&self, service: &str, model: &str, variables: Variables) -> Check {
        let Variables { model: of_model, base_url } = variables;
        match self {
            Self::Models(ids) if ids.iter().any(|id| is_named(id, model)) => {
                Check::ok(format!("{service} accepts the key and has the model {model}"))
            }
            Self::Models(ids) => Check::problem(
                format!("{service} accepts the key and has no model {model}, only {}", named(ids)),
                format!("set {of_model} to one of its models"),
            ),
            Self::Missing(status) => Check::warning(
                format!(
                    "{service} has no list of models ({status}), so the key and the model {model} were not checked"
                ),
                format!("see that {base_url} is its address, which usually ends in /v1"),
            ),
            Self::Unreadable => Check::problem(
                format!("the answer of {service} is no list of models"),
                format!("set {base_url} to its address, which usually ends in /v1"),
            ),
        }
    }
}

/// Some services put a path before the name, as in `models/gemini-3-flash`.
fn is_named(id: &str, model: &str) -> bool {
    id == model || id.strip_suffix(model).is_some_and(|path| path.ends_with('/'))
}

fn named(ids: &[String]) -> String {
    let first = ids.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len() {
        0 => "none".to_owned(),
        all if all > MOST_NAMED => format!("{first} and {} others", all - MOST_NAMED),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::checks::Level;

    fn check(status: u16, body: &Value) -> Option<Check> {
        let body = body.to_string().into_bytes();
        let response = Response { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body };
        let variables = Variables { model: "VISION_MODEL", base_url: "OPENAI_BASE_URL" };
        Some(Listing::read(&response)?.to_check("the service", "vision-1", variables))
    }

    fn models(ids: &[&str]) -> Value {
        json!({ "object": "list", "data": ids.iter().map(|id| json!({ "id": id, "owned_by": "me" })).collect::<Vec<_>>() })
    }

    #[test]
    fn list_shows_whether_the_model_exists() {
        let many: Vec<String> = (0..40).map(|number| format!("m{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (status, body, level, words) in [
            (200, models(&["a", "vision-1"]), Level::Ok, "has the model vision-1"),
            (200, models(&["models/vision-1"]), Level::Ok, "has the model vision-1"),
            (
                200,
                models(&["a", "my-vision-1"]),
                Level::Problem,
                "no model vision-1, only a, my-vision-1; set VISION_MODEL",
            ),
            (200, models(&many), Level::Problem, "m7 and 32 others"),
            (200, models(&[]), Level::Problem, "only none"),
            (200, json!("<html>"), Level::Problem, "is no list of models; set OPENAI_BASE_URL"),
            (404, json!({}), Level::Warning, "404 Not Found"),
        ] {
            let check = check(status, &body).unwrap();
            assert!(check.level == level && check.to_string().contains(words), "{check:?}");
        }
        assert_eq!(check(401, &json!({})), None);
        assert_eq!(check(500, &json!({})), None);
    }
}
