//! The inventory of a folder: its files by class, and the reasons to leave its set alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{FileKind, composed, is_system_folder, kind_of, visible};
use crate::sidecars;

/// A number of images, in words.
#[must_use]
pub fn images_in_words(count: usize) -> String {
    if count == 1 { "1 image".to_owned() } else { format!("{count} images") }
}

/// Why the balancer must not change a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// A clause without the remedy.
    pub found: String,
    /// What the user must do.
    pub remedy: String,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.found, self.remedy)
    }
}

/// The files of a set's folder, sorted by class. Names contain `/` if files lie deeper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The images in readable formats.
    pub images: BTreeSet<String>,
    /// The images in each unreadable format.
    pub unreadable: BTreeMap<&'static str, BTreeSet<String>>,
    /// The number of images, of any format, in each deeper folder.
    pub deeper: BTreeMap<String, usize>,
    /// Files with unusable names.
    pub bad_names: BTreeSet<String>,
    /// Files that belong to no image.
    pub others: BTreeSet<String>,
}

impl Inventory {
    /// Sorts the files of a folder.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inventory = Self::default();
        let mut with_sidecar_ending = Vec::new();
        for name in names {
            if let Some((folder, filename)) = name.rsplit_once('/') {
                inventory.count_deeper(folder, filename);
                continue;
            }
            match kind_of(name) {
                FileKind::Image => {
                    inventory.images.insert(name.to_owned());
                }
                FileKind::Unreadable(format) => {
                    inventory.unreadable.entry(format).or_default().insert(name.to_owned());
                }
                FileKind::Sidecar => with_sidecar_ending.push(name),
                FileKind::BadName => {
                    inventory.bad_names.insert(name.to_owned());
                }
                FileKind::Other => {
                    inventory.others.insert(name.to_owned());
                }
                FileKind::System | FileKind::Own => {}
            }
        }
        let images = inventory.images.iter().chain(inventory.unreadable.values().flatten());
        let prefixes: BTreeSet<String> = images.flat_map(|image| sidecars::prefixes(image)).collect();
        let is_alone = |name: &&str| !sidecars::has_prefix(name, |prefix| prefixes.contains(prefix));
        inventory.others.extend(with_sidecar_ending.into_iter().filter(is_alone).map(str::to_owned));
        inventory
    }

    fn count_deeper(&mut self, folder: &str, filename: &str) {
        let is_image = matches!(kind_of(filename), FileKind::Image | FileKind::Unreadable(_));
        if is_image && !folder.split('/').any(is_system_folder) {
            *self.deeper.entry(folder.to_owned()).or_default() += 1;
        }
    }

    /// Whether any of the files is, or may be, an image.
    #[must_use]
    pub fn concerns_images(&self) -> bool {
        !(self.images.is_empty() && self.unreadable.is_empty() && self.deeper.is_empty() && self.bad_names.is_empty())
    }

    /// Images in unreadable formats, as `3 HEIC images`, with the remedy.
    pub fn unreadable_in_words(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.unreadable.iter().map(|(format, images)| match images.len() {
            1 => (format!("1 {format} image"), "convert it to JPEG or PNG"),
            count => (format!("{count} {format} images"), "convert them to JPEG or PNG"),
        })
    }

    /// Why the balancer must not change the set: it can't interpret some of its images, so the set looks smaller than
    /// it is, and the balancer would generate or delete images in vain. `place` is the location of the set, without a
    /// slash at its end.
    #[must_use]
    pub fn obstacle(&self, place: &str) -> Option<Obstacle> {
        let place = visible(place);
        self.deeper_obstacle(&place)
            .or_else(|| self.bad_names_obstacle(&place))
            .or_else(|| self.unreadable_obstacle(&place))
    }

    fn deeper_obstacle(&self, place: &str) -> Option<Obstacle> {
        let (folder, count) = self.deeper.iter().next()?;
        let others = match self.deeper.len() - 1 {
            0 => String::new(),
            1 => ", and more in 1 other folder".to_owned(),
            others => format!(", and more in {others} other folders"),
        };
        Some(Obstacle {
            found: format!("found {} in {place}/{}{others}", images_in_words(*count), visible(folder)),
            remedy: format!("move them up into {place}, with their captions, or out of it"),
        })
    }

    fn bad_names_obstacle(&self, place: &str) -> Option<Obstacle> {
        let names = self.bad_names_in_words().filter(|_| self.images.is_empty())?;
        Some(Obstacle {
            found: format!(
                "{place} contains only files whose names are too long or contain control characters ({names})"
            ),
            remedy: "rename them".to_owned(),
        })
    }

    fn unreadable_obstacle(&self, place: &str) -> Option<Obstacle> {
        let unreadable: usize = self.unreadable.values().map(BTreeSet::len).sum();
        let formats: Vec<_> = self.unreadable_in_words().map(|(count, _)| count).collect();
        let readable = if self.images.is_empty() { "none".to_owned() } else { self.images.len().to_string() };
        (unreadable > self.images.len()).then(|| Obstacle {
            found: format!("{place} contains {}, which can't be read, and {readable} that can", formats.join(", ")),
            remedy: "convert them to JPEG or PNG, or move them out of it".to_owned(),
        })
    }

    /// Images that trainers and file systems may confuse: their names differ only in case or in their endings. Each
    /// group has at least two images.
    #[must_use]
    pub fn twins(&self) -> Vec<Vec<&str>> {
        let mut by_stem: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for image in &self.images {
            by_stem.entry(composed(sidecars::stem(image)).to_lowercase()).or_default().push(image);
        }
        by_stem.into_values().filter(|group| group.len() > 1).collect()
    }

    /// The files that belong to no image, in one line; `None` if there are none.
    #[must_use]
    pub fn others_in_words(&self) -> Option<String> {
        match self.others.len() {
            0 => None,
            1 => Some(format!("1 other file ({})", some_of(&self.others))),
            count => Some(format!("{count} other files ({})", some_of(&self.others))),
        }
    }

    /// The files with unusable names, in one line; `None` if there are none.
    #[must_use]
    pub fn bad_names_in_words(&self) -> Option<String> {
        (!self.bad_names.is_empty()).then(|| some_of(&self.bad_names))
    }
}

/// The first of the names, with control characters made visible, and the number of the others.
fn some_of(names: &BTreeSet<String>) -> String {
    const NAMED: usize = 3;
    let named: Vec<_> = names.iter().take(NAMED).map(|name| visible(name)).collect();
    match names.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests;
