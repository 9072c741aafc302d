use std::collections::BTreeSet;

use crate::format::OwnFormat;
use crate::kind::{Kind, KindCounts};
use crate::prompts::{BUILT_IN_FILE, Library, MAX_FILE_BYTES, OUTFIT, Prompt};

/// A usable prompt of four lines and a text.
fn prompt(id: &str, kind: &str, rest: &str) -> String {
    format!("[[prompt]]\nid = \"{id}\"\nkind = \"{kind}\"\nframing = \"wide\"\nangle = \"back\"\n{rest}\n")
}

const TEXT: &str = r#"text = "Photograph of the {character} at a lighthouse. Wide shot from behind.""#;

/// The problems of a file, such as `3: unknown field`.
fn problems(file: &str) -> Vec<String> {
    let problems = Library::read(file.as_bytes()).unwrap_err().problems;
    problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.text)).collect()
}

fn assert_problem(file: &str, problem: &str) {
    let found = problems(file);
    assert!(found.len() == 1 && found[0].starts_with(problem), "expected {problem}, found {found:#?}\n{file}");
}

#[test]
fn file_extends_the_built_in_prompts() {
    let file = prompt("lighthouse", "photorealistic", TEXT) + &prompt("photo-workshop", "photorealistic", TEXT);
    let library = Library::read(file.as_bytes()).unwrap();
    assert_eq!(library.counts().to_string(), "16/11/9");
    let own: Vec<&str> = library.own_prompts().map(|prompt| prompt.id.as_str()).collect();
    assert_eq!(own, ["lighthouse", "photo-workshop"]);
    let text = library.by_id("photo-workshop").unwrap().render("woman");
    assert_eq!(text, "Photograph of the woman at a lighthouse. Wide shot from behind.");
    assert_eq!(library.by_id("lighthouse").unwrap().scene, "at a lighthouse");
    assert_eq!(library.revision().map(str::len), Some(12));
}

#[test]
fn file_may_replace_the_built_in_prompts() {
    let file = "mode = \"replace\"\n".to_owned() + &prompt("lighthouse", "photorealistic", TEXT);
    let library = Library::read(file.as_bytes()).unwrap();
    assert_eq!(library.counts().to_string(), "1/0/0");
    let target = KindCounts { photorealistic: 3, bw_stylized: 1, color_stylized: 0 };
    let missing = library.missing_kinds(target).unwrap();
    assert_eq!(missing, "it has no prompt of the kind bw_stylized, and the target has 1");
    assert_eq!(library.shortages(target), ["1 of the kind photorealistic for a target of 3, so they repeat"]);
    assert_eq!(library.missing_kinds(KindCounts { photorealistic: 1, ..KindCounts::default() }), None);
}

#[test]
fn exported_file_is_the_built_in_library() {
    for mark in ["", "\u{feff}"] {
        let library = Library::read(format!("{mark}{BUILT_IN_FILE}").as_bytes()).unwrap();
        assert_eq!(library.prompts(), Library::built_in().prompts());
        assert_eq!((library.own_prompts().count(), library.warnings().len()), (0, 0));
    }
}

#[test]
fn parts_become_a_text() {
    let parts = "medium = \"film still\"\nscene = \"at a lighthouse.\"\ncamera = \"low angle\"\nposition = \"on the left\"\nexpression = \"with a faint smile\"";
    let library = Library::read(prompt("lighthouse", "photorealistic", parts).as_bytes()).unwrap();
    let Prompt { text, scene, .. } = library.by_id("lighthouse").unwrap();
    assert_eq!(
        text,
        "Film still of the {character} at a lighthouse. Low angle, wide shot from behind, the {character} off-center on the left, with a faint smile and unaware of the camera. Keep the identity, face and clothing features of the reference image."
    );
    assert_eq!(scene, "at a lighthouse");
}

#[test]
fn prompt_may_have_a_format_of_its_own() {
    let own = format!("{TEXT}\naspect_ratio = \"2:3\"\nmegapixels = 2.5");
    let library = Library::read(prompt("lighthouse", "photorealistic", &own).as_bytes()).unwrap();
    let OwnFormat { aspect_ratio, megapixels } = library.by_id("lighthouse").unwrap().format;
    assert_eq!(
        (aspect_ratio.unwrap().to_string(), megapixels.unwrap().to_string()),
        ("2:3".to_owned(), "2.5".to_owned())
    );
}

#[test]
fn each_mistake_is_reported_with_its_line() {
    let parts = "medium = \"film still\"\nscene = \"at sea\"";
    let photo = |rest: &str| prompt("a", "photorealistic", rest);
    for (file, problem) in [
        (photo(&format!("{TEXT}\nsceen = \"x\"")), "7: unknown field `sceen`"),
        ("moode = \"extend\"".to_owned(), "1: unknown field `moode`"),
        ("mode = \"extends\"".to_owned(), "1: `mode`: unknown variant `extends`, expected `extend` or `replace`"),
        ("mode = 3".to_owned(), "1: `mode` must be a text in quotation marks"),
        (photo("text = \"A woman at sea.\""), "6: `text` lacks {character}"),
        (photo("text = \"A {character} at {place}.\""), "6: the only placeholders"),
        (photo("text = \"\""), "6: `text` is empty"),
        (photo(&format!("{TEXT}\naspect_ratio = \"5:1\"")), "7: `aspect_ratio`: `5:1` must be width:height"),
        (photo(&format!("{TEXT}\nmegapixels = 0.1")), "7: `megapixels`: `0.1` must be a number of megapixels"),
        (photo(&format!("text = \"{{character}} {}\"", "x".repeat(2000))), "6: `text` has 2012 characters"),
        (photo(&format!("{parts}\nlighting = \"{}\"", "x".repeat(1990))), "1: the prompt has 2006 characters"),
        (photo("text = \"The {character}\\u0007.\""), "6: `text` contains control characters"),
        (photo("scene = \"at sea\""), "1: `medium` is missing"),
        (photo(""), "1: the prompt needs `medium` and `scene`, or `text`"),
        (photo(&format!("{TEXT}\nscene = \"at sea\"")), "7: `scene` and `text` exclude each other"),
        (photo("medium = \"film still\"\nscene = \"by the {sea}\""), "7: `scene` can't contain braces"),
        (prompt("a", "photo", TEXT), "3: `kind`: unknown variant `photo`, expected one of `photorealistic`"),
        (photo(TEXT).replace("wide", "far"), "4: `framing`: unknown variant `far`"),
        (photo(TEXT).replace("back", "rear"), "5: `angle`: unknown variant `rear`"),
        (photo(TEXT).replace("angle = \"back\"\n", ""), "1: `angle` is missing"),
        (photo(TEXT).replace("id = \"a\"\n", ""), "1: `id` is missing"),
        (prompt("a b", "photorealistic", TEXT), "2: `id` must have 1 to 64 letters"),
        (
            prompt("a", "bw_stylized", "medium = \"etching\"\nscene = \"in a Red room\""),
            "7: `scene` names a colour, `red`",
        ),
        (photo(TEXT) + &photo(TEXT), "7: the id `a` is used twice, first by the prompt of line 1"),
        (format!("\n{}", photo(TEXT)).replace("[[prompt]]", "[prompt]"), "2: write each prompt as a table"),
        ("prompt = [1]".to_owned(), "1: write each prompt as a table"),
    ] {
        assert_problem(&file, problem);
    }
}

#[test]
fn mistakes_with_outfits_are_reported() {
    let vary = |rest: &str| prompt("a", "photorealistic", rest);
    let outfits = "outfits = [\n\"a coat\",\n]\n";
    let with_outfit = "text = \"The {character} at sea, wearing {outfit}.\"";
    for (file, problem) in [
        ("outfit = \"vary\"".to_owned(), "1: an outfit that varies needs a list `outfits`"),
        (vary(&format!("{TEXT}\noutfit = \"vary\"")), "7: `outfit = \"vary\"` needs {outfit} in `text`"),
        (vary(with_outfit), "6: an outfit that varies needs a list `outfits`"),
        (
            outfits.to_owned() + &vary(&format!("{with_outfit}\noutfit = \"keep\"")),
            "10: `outfit = \"keep\"` contradicts",
        ),
        ("outfit = \"vary\"\noutfits = [\"a red coat\"]".to_owned(), "1: every one of the `outfits` names a colour"),
        ("outfits = \"a coat\"".to_owned(), "1: `outfits` must be a list of texts"),
        (outfits.replace("a coat", " "), "2: `outfits` is empty"),
        (outfits.replace("a coat", &"x".repeat(201)), "2: `outfits` has 201 characters"),
    ] {
        let found = Library::read(file.as_bytes());
        let problems: Vec<_> =
            found.unwrap_err().problems.iter().map(|it| format!("{}: {}", it.line, it.text)).collect();
        assert!(problems.iter().any(|found| found.starts_with(problem)), "expected {problem}, found {problems:#?}");
    }
}

#[test]
fn every_mistake_of_a_file_is_reported() {
    let file = prompt("a", "photo", "text = \"nothing\"") + &prompt("b", "photorealistic", "text = \"nothing\"\nx = 1");
    let found = problems(&file);
    let lines: Vec<&str> = found.iter().map(|problem| problem.split_once(':').unwrap().0).collect();
    assert_eq!(lines, ["3", "6", "12", "13"]);
    let summary = Library::read(file.as_bytes()).unwrap_err().to_string();
    assert!(summary.starts_with("line 3: `kind`") && summary.ends_with("; and 1 more"), "{summary}");
}

#[test]
fn damaged_file_is_reported_with_its_line() {
    assert!(problems("mode = \"extend\"\noutfit = vary\n")[0].starts_with("2: "));
    assert!(Library::read(b"id = \"caf\xe9\"").unwrap_err().to_string().contains("save it as UTF-8"));
    let large = "#".repeat(usize::try_from(MAX_FILE_BYTES).unwrap() + 1);
    assert!(problems(&large)[0].contains("can have at most 98304"));
}

#[test]
fn varying_outfit_replaces_the_clothing() {
    let file = "outfit = \"vary\"\noutfits = [\"a red coat\", \"a denim jacket and black jeans\"]\n".to_owned()
        + &prompt("lighthouse", "photorealistic", TEXT);
    let library = Library::read(file.as_bytes()).unwrap();
    assert_eq!(library.warnings().len(), 1, "{:?}", library.warnings());
    assert_eq!(library.own_prompts().count(), 36);
    for kind in [Kind::Photorealistic, Kind::BwStylized] {
        let prompt = library.of_kind(kind).next().unwrap();
        assert!(prompt.varies_outfit() && prompt.text.contains("but not its clothing"), "{}", prompt.text);
        let dressed = |seed| prompt.dressed(library.outfits(), seed);
        let texts: BTreeSet<String> = (0..20).map(|seed| dressed(seed).text).collect();
        assert_eq!(texts.len(), if kind == Kind::Photorealistic { 2 } else { 1 }, "{texts:#?}");
        assert_eq!(dressed(7), dressed(7));
        assert!(!dressed(7).text.contains(OUTFIT) && dressed(7).scene.starts_with("wearing a "), "{:?}", dressed(7));
    }
    let own = library.own(library.by_id("bw-etching-arcade").unwrap(), 0).unwrap();
    assert!(own.prompt.text.ends_with("the {character} wears a denim jacket and black jeans."), "{}", own.prompt.text);
}

#[test]
fn example_of_the_guide_is_valid() {
    let guide = include_str!("../../../../../docs/CONFIGURE.md");
    let example = guide
        .split("```toml\n")
        .find_map(|part| part.split_once("\n```").map(|(block, _)| block).filter(|block| block.contains("[[prompt]]")));
    let library = Library::read(example.unwrap().as_bytes()).unwrap();
    assert_eq!((library.own_prompts().count(), library.warnings().len()), (37, 0));
}
