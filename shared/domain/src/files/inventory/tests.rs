use super::*;

#[test]
fn ordinary_kohya_folder_is_accepted() {
    let names =
        ["a_1.jpg", "a_1.txt", "a_1_sdxl.npz", "a_2.png", "a_2.caption", "._a_1.jpg", "Thumbs.db", "actor.json"];
    let inventory = Inventory::of(names);
    assert_eq!(inventory.images.len(), 2);
    assert_eq!((inventory.others_in_words(), inventory.obstacle("p")), (None, None));
    assert!(inventory.unreadable.is_empty() && inventory.bad_names.is_empty());
}

#[test]
fn other_files_are_listed_in_one_line() {
    let inventory = Inventory::of(["a_1.jpg", "b.txt", "notes.md", "c.csv", "d.zip"]);
    assert_eq!(inventory.others_in_words().unwrap(), "4 other files (b.txt, c.csv, d.zip and 1 more)");
    let inventory = Inventory::of(["notes\u{1b}.md", "notes.md"]);
    assert_eq!(inventory.others_in_words().unwrap(), "1 other file (notes.md)");
    assert_eq!(inventory.bad_names.iter().map(|name| visible(name)).collect::<Vec<_>>(), ["notes\\u{1b}.md"]);
}

#[test]
fn images_in_a_deeper_folder_are_an_obstacle() {
    let names = ["10_hero woman/a_1.jpg", "10_hero woman/a_2.heic", "10_hero woman/a_1.txt", "a_9.jpg"];
    let obstacle = Inventory::of(names).obstacle("training_data").unwrap().to_string();
    let start = "found 2 images in training_data/10_hero woman: move them up into training_data, with their captions";
    assert!(obstacle.starts_with(start), "{obstacle}");
    for ignored in ["__MACOSX/a_1.jpg", ".thumbnails/x.png", "a/@eaDir/b.jpg", "_latent_cache/a_1.safetensors"] {
        assert_eq!(Inventory::of([ignored]).obstacle("p"), None, "{ignored}");
    }
}

#[test]
fn majority_of_unreadable_images_is_an_obstacle() {
    let obstacle = |names: &[&str]| Inventory::of(names.iter().copied()).obstacle("p").map(|it| it.to_string());
    let alone = obstacle(&["1.heic", "2.avif", "3.HEIC"]).unwrap();
    assert!(
        alone.starts_with("p contains 1 AVIF image, 2 HEIC images, which can't be read, and none that can"),
        "{alone}"
    );
    assert!(obstacle(&["1.heic", "2.heic", "3.jpg"]).unwrap().contains("and 1 that can"));
    assert_eq!(obstacle(&["1.heic", "3.jpg"]), None);
    assert!(obstacle(&["a\u{1}.jpg", "notes.md"]).unwrap().contains("(a\\u{1}.jpg): rename them"));
    assert_eq!(obstacle(&["a\u{1}.jpg", "3.jpg"]), None);
    assert_eq!(obstacle(&[]), None, "an empty set is made from the base image");
}

#[test]
fn names_that_differ_in_case_or_ending_are_twins() {
    let inventory = Inventory::of(["a_1.jpg", "a_1.png", "A_1.JPG", "b_1.jpg", "c.png"]);
    assert_eq!(inventory.twins(), [["A_1.JPG", "a_1.jpg", "a_1.png"]]);
}

#[test]
fn sidecars_of_an_image_are_no_other_files() {
    let sidecars = ["a_1.CAPTION", "a_1.jpg.json", "a_1_0512x0768_sdxl.npz", "a_1_flux.npz", "a_1-masklabel.png"];
    for (image, count) in [("a_1.jpg", 0), ("a_12.jpg", sidecars.len()), ("a.jpg", sidecars.len())] {
        let inventory = Inventory::of(sidecars.into_iter().chain([image, "manifest.json"]));
        assert_eq!(inventory.others.len(), count, "{image}: {:?}", inventory.others);
    }
    assert!(Inventory::of(["a_1.heic", "a_1.txt"]).others.is_empty(), "of an unreadable image");
    assert!(Inventory::of(["ü_1.jpg", "u\u{308}_1.txt"]).others.is_empty(), "in either Unicode form");
}
