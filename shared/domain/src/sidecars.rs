//! Sidecars: the files that trainers keep beside an image under its name, such as its caption or its cached latents.

use serde::{Deserialize, Serialize};

use super::files::{is_image_name, is_sidecar_suffix};

/// These files belong to the actor, even beside an image of the same stem.
const OF_THE_ACTOR: [&str; 2] = ["actor.json", "manifest.json"];

/// A sidecar in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Its file name.
    pub filename: String,
    /// The `ETag` of its object, without quotes.
    pub etag: String,
}

/// The sidecars that leave a folder with an image: those of its stem, unless another image of the folder has the same
/// stem. File systems may treat names that differ only in case as the same, so such an image keeps its sidecars too.
#[must_use]
pub fn leaving_with<'a>(image: &str, folder: &[&'a str]) -> Vec<&'a str> {
    let is_kept = |sidecar: &str, other: &str| {
        belongs_to(&sidecar.to_lowercase(), &other.to_lowercase()) && stem(other).len() >= stem(image).len()
    };
    sidecars(image, folder, is_kept)
}

/// The sidecars that return from a folder of the trash with an image. If two images in the trash share a sidecar, it
/// returns with the first.
#[must_use]
pub fn returning_with<'a>(image: &str, trash: &[&'a str]) -> Vec<&'a str> {
    let is_kept = |sidecar: &str, other: &str| belongs_to(sidecar, other) && stem(other).len() > stem(image).len();
    sidecars(image, trash, is_kept)
}

/// The common prefix of an image's name and the names of all its sidecars.
#[must_use]
pub fn stem(filename: &str) -> &str {
    filename.rsplit_once('.').map_or(filename, |(stem, _)| stem)
}

fn sidecars<'a>(image: &str, names: &[&'a str], is_kept: impl Fn(&str, &str) -> bool) -> Vec<&'a str> {
    let others: Vec<&str> = names.iter().copied().filter(|name| *name != image && is_image_name(name)).collect();
    let is_going = |name: &&str| belongs_to(name, image) && !others.iter().any(|other| is_kept(name, other));
    names.iter().copied().filter(is_going).collect()
}

/// `a_1.txt`, `a_1.jpg.txt` and `a_1_0512x0768_flux.npz` belong to `a_1.jpg`.
fn belongs_to(sidecar: &str, image: &str) -> bool {
    let continues = |start: &str| sidecar.strip_prefix(start).is_some_and(is_sidecar_suffix);
    let is_of_the_actor = OF_THE_ACTOR.contains(&sidecar.to_lowercase().as_str());
    !is_of_the_actor && (continues(stem(image)) || continues(image))
}

#[cfg(test)]
mod tests {
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
    fn sidecars_of_every_form_leave_and_return() {
        let folder = [&OF_ONE[..], &["a_1.jpg", "a_2.jpg", "a_10.jpg"]].concat();
        assert_eq!(leaving_with("a_1.jpg", &folder), OF_ONE);
        assert_eq!(returning_with("a_1.jpg", &folder), OF_ONE);
    }

    #[test]
    fn files_of_others_stay() {
        let strangers = [
            "a_2.txt",
            "a_10.txt",
            "a_1_2.npz",
            "a_1_2_0512x0768_flux.npz",
            "a_1_mask.txt",
            "a_1_x.npz",
            "a_1.psd",
            "a_1.png",
            "a_1",
            "A_1.txt",
            "notes.txt",
            "a_10_te.npz",
        ];
        assert_eq!(leaving_with("a_1.jpg", &strangers), Vec::<&str>::new());
    }

    #[test]
    fn files_of_the_actor_stay_beside_a_namesake() {
        let folder = ["actor.json", "Actor.JSON", "manifest.json", "actor.txt"];
        assert_eq!(leaving_with("actor.png", &folder), ["actor.txt"]);
        assert_eq!(leaving_with("manifest.png", &folder), Vec::<&str>::new());
    }

    #[test]
    fn a_sidecar_stays_until_the_last_twin_goes() {
        for twin in ["a_1.png", "a_1.JPG", "A_1.webp"] {
            assert_eq!(leaving_with("a_1.jpg", &["a_1.jpg", twin, "a_1.txt"]), Vec::<&str>::new(), "{twin}");
        }
        assert_eq!(leaving_with("a_1.jpg", &["a_1.jpg", "a_1.txt"]), ["a_1.txt"]);
        // The note about one file is not shared.
        let folder = ["a_1.jpg", "a_1.png", "a_1.jpg.json", "a_1.png.json"];
        assert_eq!(leaving_with("a_1.jpg", &folder), ["a_1.jpg.json"]);
    }

    #[test]
    fn a_shared_sidecar_returns_with_the_first_twin() {
        let trash = ["a_1.jpg", "a_1.png", "a_1.txt"];
        assert_eq!(returning_with("a_1.jpg", &trash), ["a_1.txt"]);
        assert_eq!(returning_with("a_1.png", &trash), ["a_1.txt"]);
    }

    #[test]
    fn a_cache_belongs_to_the_longest_stem() {
        let folder = ["a.jpg", "a_b.jpg", "a_b_te.npz"];
        assert_eq!(leaving_with("a.jpg", &folder), Vec::<&str>::new());
        assert_eq!(leaving_with("a_b.jpg", &folder), ["a_b_te.npz"]);
        assert_eq!(returning_with("a.jpg", &folder), Vec::<&str>::new());
    }
}
