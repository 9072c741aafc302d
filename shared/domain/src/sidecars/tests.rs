use super::*;

const OF_ONE: [&str; 14] = [
    "a_1.txt",
    "a_1.TXT",
    "a_1.caption",
    "a_1.npz",
    "a_1.json",
    "a_1.safetensors",
    "a_1.jpg.txt",
    "a_1.jpg.json",
    "a_1_te.npz",
    "a_1_te_outputs.npz",
    "a_1-masklabel.png",
    "a_1_0512x0768_flux.npz",
    "a_1_flux_te.npz",
    "a_1_1024x1024_wan.safetensors",
];

#[test]
fn shared_prefix_ends_before_other_unicode_forms() {
    for (filename, prefix) in
        [("a_1.jpg", "a_1"), ("J\u{fc}rgen_1.jpg", ""), ("Ju\u{308}rgen_1.jpg", "J"), ("\u{fc}.jpg", "")]
    {
        assert_eq!(shared_prefix(filename), prefix, "{filename}");
    }
}

#[test]
fn sidecars_of_every_form_leave_and_return() {
    let folder = [&OF_ONE[..], &["a_1.jpg", "a_2.jpg", "a_10.jpg"]].concat();
    assert_eq!(leaving_with("a_1.jpg", &folder), OF_ONE);
    assert_eq!(returning_with("a_1.jpg", &folder), OF_ONE);
}

#[test]
fn files_of_other_images_stay() {
    let unrelated = [
        "a_2.txt",
        "a_12.txt",
        "a_10.txt",
        "a_1_2.npz",
        "a_1_2.txt",
        "a_1_2_0512x0768_flux.npz",
        "a_1_mask.txt",
        "a_1_x.npz",
        "a_1.md",
        "a_1.psd",
        "a_1.png",
        "a_1",
        ".a_1.txt",
        "A_1.txt",
        "notes.txt",
        "a_10_te.npz",
    ];
    assert_eq!(leaving_with("a_1.jpg", &unrelated), Vec::<&str>::new());
}

#[test]
fn files_of_the_actor_stay_beside_a_namesake() {
    let folder = ["actor.json", "Actor.JSON", "manifest.json", "actor.txt"];
    assert_eq!(leaving_with("actor.png", &folder), ["actor.txt"]);
    assert_eq!(leaving_with("manifest.png", &folder), Vec::<&str>::new());
}

#[test]
fn sidecar_stays_until_the_last_twin_leaves() {
    for twin in ["a_1.png", "a_1.JPG", "A_1.webp"] {
        assert_eq!(leaving_with("a_1.jpg", &["a_1.jpg", twin, "a_1.txt"]), Vec::<&str>::new(), "{twin}");
    }
    assert_eq!(leaving_with("a_1.jpg", &["a_1.jpg", "a_1.txt"]), ["a_1.txt"]);
    // Metadata of one file are not shared.
    let folder = ["a_1.jpg", "a_1.png", "a_1.jpg.json", "a_1.png.json"];
    assert_eq!(leaving_with("a_1.jpg", &folder), ["a_1.jpg.json"]);
}

#[test]
fn shared_sidecar_returns_with_the_first_twin() {
    let trash = ["a_1.jpg", "a_1.png", "a_1.txt"];
    assert_eq!(returning_with("a_1.jpg", &trash), ["a_1.txt"]);
    assert_eq!(returning_with("a_1.png", &trash), ["a_1.txt"]);
}

#[test]
fn cache_belongs_to_the_longest_stem() {
    let folder = ["a.jpg", "a_b.jpg", "a_b_te.npz"];
    assert_eq!(leaving_with("a.jpg", &folder), Vec::<&str>::new());
    assert_eq!(leaving_with("a_b.jpg", &folder), ["a_b_te.npz"]);
    assert_eq!(returning_with("a.jpg", &folder), Vec::<&str>::new());
}

#[test]
fn both_unicode_forms_of_a_stem_are_the_same() {
    let folder = ["ü_1.jpg", "u\u{308}_1.txt"];
    assert_eq!(leaving_with("ü_1.jpg", &folder), ["u\u{308}_1.txt"]);
    assert_eq!(returning_with("u\u{308}_1.jpg", &["ü_1.txt"]), ["ü_1.txt"]);
    let twins = ["ü_1.jpg", "u\u{308}_1.png", "ü_1.txt"];
    assert_eq!(leaving_with("ü_1.jpg", &twins), Vec::<&str>::new());
}
