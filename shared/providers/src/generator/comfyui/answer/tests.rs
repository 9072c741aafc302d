use serde_json::json;

use super::*;

fn ended(entry: &Value) -> Option<Prediction> {
    let history: History = serde_json::from_value(json!({ "id": entry })).unwrap();
    history.result_of("id")
}

fn saved(outputs: &Value, chosen: Option<&str>) -> Prediction {
    let extra = json!({ CHOSEN_OUTPUT: chosen, "client_id": "balancer" });
    let prompt = json!([3, "id", {}, extra, ["9"]]);
    let status = json!({ "status_str": "success", "completed": true, "messages": [] });
    ended(&json!({ "prompt": prompt, "outputs": outputs, "status": status })).unwrap()
}

fn image(name: &str, folder: &str) -> Value {
    json!({ "filename": name, "subfolder": "", "type": folder })
}

fn failed(message: &Value) -> Prediction {
    let messages = json!([["execution_start", { "prompt_id": "id" }], message]);
    let status = json!({ "status_str": "error", "completed": false, "messages": messages });
    ended(&json!({ "outputs": {}, "status": status })).unwrap()
}

#[test]
fn unknown_prompt_has_no_result() {
    let history: History = serde_json::from_value(json!({})).unwrap();
    assert_eq!(history.result_of("id"), None);
    let queue = json!({ "queue_running": [[1, "a", {}, {}, []]], "queue_pending": [[2, "b", {}, {}, [], {}]] });
    let queue: Queue = serde_json::from_value(queue).unwrap();
    assert_eq!(["a", "b", "c"].map(|id| queue.contains(id)), [true, true, false]);
}

#[test]
fn saved_image_counts_before_previews() {
    let outputs = json!({
        "3": { "images": [image("p.png", "temp")] },
        "4": { "text": ["no image"] },
        "9": { "images": [image("a b&c.png", "output"), image("second.png", "output")], "animated": [false] },
    });
    let view = |query: &str| Prediction::Succeeded(format!("view?{query}"));
    assert_eq!(saved(&outputs, None), view("filename=a+b%26c.png&subfolder=&type=output"));
    assert_eq!(saved(&outputs, Some("3")), view("filename=p.png&subfolder=&type=temp"));
}

#[test]
fn success_without_an_image_is_a_failure() {
    for (chosen, words) in [(None, "ended without an image"), (Some("9"), "node 9, whose image counts, has saved none")]
    {
        let outcome = saved(&json!({ "3": { "images": [] } }), chosen);
        assert!(matches!(&outcome, Prediction::Failed(reason) if reason.contains(words)), "{outcome:?}");
    }
}

#[test]
fn error_of_a_node_is_readable() {
    let error = |kind: &str, message: &str| {
        json!(["execution_error", {
            "node_id": "12", "node_type": "KSampler", "exception_type": kind, "exception_message": message,
            "traceback": ["…"], "current_inputs": {},
        }])
    };
    let memory = failed(&error("torch.OutOfMemoryError", "Allocation on device 0\n would exceed memory.\n"));
    let expected = "node 12 (KSampler) failed: torch.OutOfMemoryError: Allocation on device 0 would exceed memory.";
    assert_eq!(memory, Prediction::Failed(expected.to_owned()));
    let Prediction::Failed(long) = failed(&error("RuntimeError", &"long ".repeat(200))) else { panic!("no failure") };
    assert!(long.chars().count() == MAX_QUOTED + 1 && long.ends_with('…'), "{long}");
    assert!(matches!(failed(&error("Exception", "NSFW content detected")), Prediction::ContentRejected(_)));
}

#[test]
fn cancelled_prompt_is_interrupted() {
    let cancelled = failed(&json!(["execution_interrupted", { "node_id": "12" }]));
    assert!(matches!(cancelled, Prediction::Interrupted(_)), "{cancelled:?}");
}

#[test]
fn rejection_names_nodes_and_values() {
    let error = json!({ "type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": "…" });
    let reason =
        json!({ "type": "value_not_in_list", "message": "Value not in list", "details": "vae_name: 'x' not in []" });
    let nodes = json!({ "3": { "errors": [reason], "dependent_outputs": ["9"], "class_type": "VAELoader" } });
    let rejected = |body: &Value| rejection(body.to_string().as_bytes());
    assert_eq!(
        rejected(&json!({ "error": error, "node_errors": nodes })).unwrap(),
        "node 3 (VAELoader): Value not in list: vae_name: 'x' not in []"
    );
    let error = json!({ "type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": "" });
    assert_eq!(rejected(&json!({ "error": error, "node_errors": [] })).unwrap(), "Prompt has no outputs");
    assert_eq!(rejected(&json!({ "detail": "other" })), None);
    assert_eq!(rejection(b"<html>"), None);
}

#[test]
fn web_pages_are_recognised() {
    assert!(is_web_page(b"\n<!DOCTYPE html><html>") && is_web_page(b"<html lang=en>"));
    assert!(!is_web_page(b"{}") && !is_web_page(b"") && !is_web_page(&[0xFF, 0xD8, 0xFF]));
}
