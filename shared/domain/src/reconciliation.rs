//! What has become of a set since it was last looked at: the bucket against the manifest.

use std::collections::BTreeMap;

use super::manifest::Image;

/// An image file as the bucket lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file's name.
    pub filename: String,
    /// The object's `ETag`, without quotes.
    pub etag: String,
}

/// How bucket and manifest differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// In the bucket, not in the manifest.
    pub new: Vec<Listed>,
    /// In both, but the object is another one than was recorded.
    pub changed: Vec<Listed>,
    /// In the manifest, no longer in the bucket.
    pub vanished: Vec<String>,
}

/// Compares what the bucket lists with what the manifest records.
///
/// A record without an `ETag` that belongs to a plan is an image whose number has been given and whose object is on
/// its way: it is neither vanished nor, once there, changed.
#[must_use]
pub fn compare(listed: &[Listed], recorded: &BTreeMap<String, Image>) -> Differences {
    let mut differences = Differences::default();
    for file in listed {
        match recorded.get(&file.filename) {
            None => differences.new.push(file.clone()),
            Some(image) if image.etag.as_ref() == Some(&file.etag) || is_on_its_way(image) => {}
            Some(_) => differences.changed.push(file.clone()),
        }
    }
    let is_listed = |filename: &str| listed.iter().any(|file| file.filename == filename);
    differences.vanished = recorded
        .iter()
        .filter(|(filename, image)| !is_listed(filename) && !is_on_its_way(image))
        .map(|(filename, _)| filename.clone())
        .collect();
    differences
}

fn is_on_its_way(image: &Image) -> bool {
    image.etag.is_none() && image.plan_id.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str, etag: &str) -> Listed {
        Listed { filename: name.to_owned(), etag: etag.to_owned() }
    }

    fn record(etag: Option<&str>, plan: Option<&str>) -> Image {
        Image { etag: etag.map(str::to_owned), plan_id: plan.map(str::to_owned), ..Image::default() }
    }

    #[test]
    fn new_changed_and_vanished_files_are_told_apart() {
        let recorded = [
            ("same", record(Some("1"), None)),
            ("other", record(Some("1"), None)),
            ("gone", record(Some("1"), None)),
            ("imported", record(None, None)),
            ("coming", record(None, Some("p"))),
        ];
        let recorded = recorded.map(|(name, image)| (name.to_owned(), image)).into();
        let listed = [file("same", "1"), file("other", "2"), file("added", "1"), file("imported", "7")];
        let differences = compare(&listed, &recorded);
        assert_eq!(differences.new, [file("added", "1")]);
        assert_eq!(differences.changed, [file("other", "2"), file("imported", "7")]);
        assert_eq!(differences.vanished, ["gone"]);
    }

    proptest! {
        #[test]
        fn taking_the_differences_over_leaves_none(
            listed in proptest::collection::btree_map("[a-f]", "[1-3]", 0..6),
            recorded in proptest::collection::btree_map("[a-f]", "[1-3]", 0..6),
        ) {
            let listed: Vec<_> = listed.iter().map(|(name, etag)| file(name, etag)).collect();
            let mut recorded: BTreeMap<_, _> =
                recorded.into_iter().map(|(name, etag)| (name, record(Some(&etag), None))).collect();
            let differences = compare(&listed, &recorded);
            for gone in &differences.vanished {
                recorded.remove(gone);
            }
            for file in differences.new.iter().chain(&differences.changed) {
                recorded.insert(file.filename.clone(), record(Some(&file.etag), None));
            }
            prop_assert_eq!(compare(&listed, &recorded), Differences::default());
        }
    }
}
