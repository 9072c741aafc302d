//! Compares the objects of a set with its image records.

use std::collections::BTreeMap;

use super::manifest::Image;

/// An image in a listing of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file name, without a path.
    pub filename: String,
    /// The object's `ETag`, without quotes.
    pub etag: String,
}

/// The differences between the bucket and the image records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Objects without an image record.
    pub new: Vec<Listed>,
    /// Objects whose `ETag` differs from the recorded one, and those whose imported record has none yet.
    pub changed: Vec<Listed>,
    /// Image records without an object, by file name.
    pub vanished: Vec<String>,
}

/// Compares a listing of the bucket with the image records.
///
/// A record of a plan without an `ETag` belongs to an image that has its number but not yet its object: the image has
/// neither vanished nor, once the object exists, changed.
#[must_use]
pub fn compare(listed: &[Listed], recorded: &BTreeMap<String, Image>) -> Differences {
    let mut differences = Differences::default();
    for file in listed {
        match recorded.get(&file.filename) {
            None => differences.new.push(file.clone()),
            Some(image) if image.etag.as_ref() == Some(&file.etag) || awaits_its_object(image) => {}
            Some(_) => differences.changed.push(file.clone()),
        }
    }
    let is_listed = |filename: &str| listed.iter().any(|file| file.filename == filename);
    differences.vanished = recorded
        .iter()
        .filter(|(filename, image)| !is_listed(filename) && !awaits_its_object(image))
        .map(|(filename, _)| filename.clone())
        .collect();
    differences
}

fn awaits_its_object(image: &Image) -> bool {
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
    fn new_changed_and_vanished_files_are_found() {
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
        fn applied_differences_leave_none(
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
