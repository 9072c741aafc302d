use serde_json::json;

use super::*;

fn node(class: &str, title: &str, inputs: &Value) -> Value {
    json!({ "class_type": class, "inputs": inputs, "_meta": { "title": title } })
}

fn workflow(nodes: &[(&str, Value)]) -> Workflow {
    let nodes: Value =
        nodes.iter().map(|(id, node)| ((*id).to_owned(), node.clone())).collect::<serde_json::Map<_, _>>().into();
    Workflow::parse(&nodes.to_string()).unwrap()
}

fn loader() -> Value {
    node("LoadImage", "Balancer: Reference", &json!({ "image": "example.png" }))
}

fn encoder(title: &str) -> Value {
    node("CLIPTextEncode", title, &json!({ "text": "a dog", "clip": ["1", 0] }))
}

fn names(found: &Placeholders) -> Vec<String> {
    let inputs = found.inputs.iter().flat_map(|(role, inputs)| inputs.iter().map(move |input| (role, input)));
    inputs.map(|(role, input)| format!("{role}: {}.{}", input.node, input.name)).collect()
}

#[test]
fn placeholders_are_found_by_titles() {
    let (found, problems) = Placeholders::find(
        &workflow(&[
            ("1", encoder("BALANCER: prompt ")),
            ("2", loader()),
            ("3", node("LoadImage", "balancer: reference 2", &json!({ "image": "example.png" }))),
            ("4", node("RandomNoise", "balancer:seed", &json!({ "noise_seed": 1 }))),
            ("5", node("EmptyLatentImage", "balancer: size", &json!({ "width": 8, "height": 8, "batch_size": 1 }))),
            ("6", node("Primitive", "balancer: width, balancer: output", &json!({ "value": 5 }))),
        ]),
        &Mapping::default(),
    );
    assert_eq!(problems, []);
    assert_eq!(
        names(&found),
        [
            "prompt: 1.text",
            "seed: 4.noise_seed",
            "reference: 2.image",
            "reference 2: 3.image",
            "width: 5.width",
            "width: 6.value",
            "height: 5.height",
        ]
    );
    assert_eq!(found.output.as_deref(), Some("6"));
}

#[test]
fn missing_and_misspelled_placeholders_are_problems() {
    let (_, problems) = Placeholders::find(&workflow(&[("1", encoder("balancer: promt"))]), &Mapping::default());
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (text, words) in texts.iter().zip([
        "the title of node 1 (CLIPTextEncode, \"balancer: promt\") names no placeholder",
        "does not say where the prompt goes; give the node that takes the prompt the title `balancer: prompt`",
        "does not say where the reference goes",
    ]) {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(texts.len(), 3);
}

#[test]
fn connected_input_names_the_node_to_title_instead() {
    let connected = node("CLIPTextEncode", "balancer: prompt", &json!({ "text": ["7", 0] }));
    let nodes = [("1", connected), ("2", loader()), ("7", node("Primitive", "My text", &json!({ "value": "a dog" })))];
    let (_, problems) = Placeholders::find(&workflow(&nodes), &Mapping::default());
    let text = problems[0].to_string();
    assert!(text.contains("comes from node 7 (Primitive, \"My text\"); give that node the title"), "{text}");
}

#[test]
fn mapping_replaces_titles() {
    let nodes = [("1", encoder("balancer: prompt")), ("12:3", encoder("Positive")), ("2", loader())];
    let mapping = Mapping::parse("prompt = \"12:3.text\"\noutput = \"2\"").unwrap();
    let (found, problems) = Placeholders::find(&workflow(&nodes), &mapping);
    assert_eq!(
        (names(&found), problems),
        (vec!["prompt: 12:3.text".to_owned(), "reference: 2.image".to_owned()], vec![])
    );
}

#[test]
fn wrong_names_in_a_mapping_are_problems() {
    let nodes = [("1", encoder("balancer: prompt")), ("2", loader())];
    for (mapping, words) in [
        ("seed = \"9.seed\"", "no node 9"),
        ("seed = \"1.seed\"", "has no such input"),
        ("seed = \"seed\"", "no full stop"),
        ("seed = \"1.clip\"", "is connected to another node"),
        ("output = \"9\"", "no such node"),
    ] {
        let (_, problems) = Placeholders::find(&workflow(&nodes), &Mapping::parse(mapping).unwrap());
        assert!(problems.len() == 1 && problems[0].text.contains(words), "{problems:?}");
    }
}

#[test]
fn values_go_into_their_placeholders() {
    let second = node("LoadImage", "balancer: reference 2", &json!({ "image": "example.png" }));
    let nodes = [
        ("1", encoder("balancer: prompt")),
        ("2", loader()),
        ("3", second),
        ("4", node("KSampler", "balancer: seed, size", &json!({ "seed": 1, "width": 1, "height": 1 }))),
    ];
    let workflow = workflow(&nodes);
    let (found, problems) = Placeholders::find(&workflow, &Mapping::default());
    assert_eq!(problems, []);
    let references = ["base.jpg".to_owned()];
    let values = Values { prompt: "a man", seed: 7, references: &references, size: (1344, 768) };
    let filled = workflow.filled(found.values(&values));
    assert_eq!(filled["1"]["inputs"], json!({ "text": "a man", "clip": ["1", 0] }));
    assert_eq!(
        (&filled["2"]["inputs"]["image"], &filled["3"]["inputs"]["image"]),
        (&json!("base.jpg"), &json!("base.jpg"))
    );
    assert_eq!(filled["4"]["inputs"], json!({ "seed": 7, "width": 1344, "height": 768 }));
}
