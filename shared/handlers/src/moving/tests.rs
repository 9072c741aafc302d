use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

/// A folder on a file system other than that of temporary files. Every Linux has one.
fn elsewhere() -> TempDir {
    let usual = std::env::temp_dir().metadata().unwrap().dev();
    let places = ["/dev/shm", "/run/shm", "/tmp", "/var/tmp", env!("CARGO_MANIFEST_DIR")];
    let mut others = places.iter().filter(|place| fs::metadata(place).is_ok_and(|place| place.dev() != usual));
    others
        .find_map(|place| TempDir::new_in(place).ok())
        .unwrap_or_else(|| panic!("no second file system among {places:?}"))
}

/// A source folder, and destinations on the same file system and on another.
fn folders() -> (TempDir, [TempDir; 2]) {
    (TempDir::new().unwrap(), [TempDir::new().unwrap(), elsewhere()])
}

/// Every name in a folder, hidden ones too.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn file_moves_unchanged_to_any_file_system() {
    let (from, places) = folders();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for place in places {
        let (file, to) = (from.path().join("a_1.jpg"), place.path().join("trash/p/a_1.jpg"));
        fs::write(&file, vec![7; 300_000]).unwrap();
        File::open(&file).unwrap().set_times(FileTimes::new().set_modified(modified)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(move_new(&file, &to).unwrap(), Moved::Done);
        assert_eq!((names(from.path()), names(to.parent().unwrap())), (vec![], vec!["a_1.jpg".to_owned()]));
        let metadata = to.metadata().unwrap();
        assert_eq!((metadata.len(), metadata.mode() & 0o777), (300_000, 0o640));
        assert_eq!(metadata.modified().unwrap(), modified);
        assert_eq!(move_new(&file, &to).unwrap(), Moved::Missing);
    }
}

#[test]
fn existing_file_is_not_overwritten() {
    let (from, places) = folders();
    for place in places {
        let (file, to) = (from.path().join("a_1.jpg"), place.path().join("a_1.jpg"));
        fs::write(&file, "mine").unwrap();
        // Has the same length as the other file, so that only the content differs.
        fs::write(&to, "your").unwrap();
        assert_eq!(move_new(&file, &to).unwrap(), Moved::Occupied);
        assert!(!write_new(&to, b"mine").unwrap());
        assert_eq!((fs::read(&file).unwrap(), fs::read(&to).unwrap()), (b"mine".to_vec(), b"your".to_vec()));
        assert_eq!(names(place.path()), ["a_1.jpg"]);
    }
}

#[test]
fn interrupted_move_is_completed() {
    let (from, places) = folders();
    for place in places {
        let (file, to) = (from.path().join("a_1.jpg"), place.path().join("a_1.jpg"));
        fs::write(&file, "same").unwrap();
        fs::write(&to, "same").unwrap();
        assert_eq!(move_new(&file, &to).unwrap(), Moved::Done);
        assert!(!file.exists() && fs::read(&to).unwrap() == b"same");
    }
}

#[test]
fn concurrent_workers_move_a_file_once() {
    for _ in 0..20 {
        let (from, places) = folders();
        for place in places {
            let (file, to) = (from.path().join("a_1.jpg"), place.path().join("a_1.jpg"));
            fs::write(&file, vec![7; 200_000]).unwrap();
            let ends: Vec<Moved> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| move_new(&file, &to).unwrap())).collect();
                workers.into_iter().map(|worker| worker.join().unwrap()).collect()
            });
            assert!(ends.contains(&Moved::Done) && !ends.contains(&Moved::Occupied), "{ends:?}");
            assert_eq!((names(from.path()), names(place.path())), (vec![], vec!["a_1.jpg".to_owned()]));
        }
    }
}

#[test]
fn failed_copy_leaves_source_and_no_partial_file() {
    let (from, [_, place]) = folders();
    // A folder can be renamed, but not copied.
    let folder = from.path().join("a_1.jpg");
    fs::create_dir(&folder).unwrap();
    move_new(&folder, &place.path().join("a_1.jpg")).unwrap_err();
    assert!(folder.is_dir() && names(place.path()).is_empty());
    // It can be opened but not read.
    let file = from.path().join("a_2.jpg");
    fs::write(&file, "x").unwrap();
    copy_over(&folder, &place.path().join("a_2.jpg"), &file.metadata().unwrap()).unwrap_err();
    assert!(names(place.path()).is_empty());
}

#[test]
fn moved_links_keep_their_target() {
    let pool = TempDir::new().unwrap();
    for place in [TempDir::new().unwrap(), elsewhere()] {
        let (data, trash) = (pool.path().join("data/hero/training_data"), place.path().join("hero/trash/p"));
        fs::create_dir_all(&data).unwrap();
        let original = pool.path().join("pool/one.jpg");
        fs::create_dir_all(original.parent().unwrap()).unwrap();
        fs::write(&original, "picture").unwrap();
        for target in [Path::new("../../../pool/one.jpg"), &original] {
            let (link, moved) = (data.join("a_1.jpg"), trash.join("a_1.jpg"));
            symlink(target, &link).unwrap();
            assert_eq!(move_new(&link, &moved).unwrap(), Moved::Done);
            assert!(moved.is_symlink() && fs::read(&moved).unwrap() == b"picture");
            assert!(names(&data).is_empty());
            assert_eq!(move_new(&moved, &link).unwrap(), Moved::Done);
            assert_eq!(
                (fs::read_link(&link).unwrap().as_path(), fs::read(&link).unwrap()),
                (target, b"picture".into())
            );
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read(&original).unwrap(), b"picture");
    }
}

#[test]
fn chained_links_keep_their_target() {
    let (root, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // `linked/..` is not the folder that `linked` lies in.
    fs::create_dir_all(other.path().join("deep/er")).unwrap();
    fs::write(other.path().join("deep/one.jpg"), "right").unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    fs::write(root.path().join("data/one.jpg"), "wrong").unwrap();
    symlink(other.path().join("deep/er"), root.path().join("data/linked")).unwrap();
    let (link, to) = (root.path().join("data/a_1.jpg"), root.path().join("trash/p/a_1.jpg"));
    symlink("linked/../one.jpg", &link).unwrap();
    assert_eq!(fs::read(&link).unwrap(), b"right");
    assert_eq!(move_new(&link, &to).unwrap(), Moved::Done);
    assert_eq!(fs::read(&to).unwrap(), b"right");
}

#[test]
fn dangling_link_moves_unchanged() {
    let (from, places) = folders();
    for place in places {
        let (link, to) = (from.path().join("a_1.jpg"), place.path().join("a_1.jpg"));
        symlink("/no/such/file", &link).unwrap();
        assert_eq!(move_new(&link, &to).unwrap(), Moved::Done);
        assert_eq!(fs::read_link(&to).unwrap(), Path::new("/no/such/file"));
        assert!(!link.is_symlink());
    }
}

#[test]
fn link_to_the_file_is_not_the_file() {
    let (from, places) = folders();
    for place in places {
        let (file, to) = (from.path().join("a_1.jpg"), place.path().join("a_1.jpg"));
        fs::write(&file, "picture").unwrap();
        symlink(&file, &to).unwrap();
        assert_eq!(move_new(&file, &to).unwrap(), Moved::Occupied);
        assert_eq!(fs::read(&file).unwrap(), b"picture");
    }
}

#[test]
fn move_onto_itself_keeps_the_file() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("folder")).unwrap();
    symlink("folder", root.path().join("linked")).unwrap();
    let file = root.path().join("folder/a_1.jpg");
    fs::write(&file, "picture").unwrap();
    assert_eq!(move_new(&file, &root.path().join("linked/a_1.jpg")).unwrap(), Moved::Done);
    assert_eq!(fs::read(&file).unwrap(), b"picture");
}

#[test]
fn occupying_file_is_renamed() {
    let dir = TempDir::new().unwrap();
    for (name, kept) in [("a_1.jpg", "a_1 (2).jpg"), ("a_1.jpg", "a_1 (3).jpg"), ("plain", "plain (2)")] {
        fs::write(dir.path().join(name), kept).unwrap();
        assert_eq!(set_aside(&dir.path().join(name)).unwrap(), dir.path().join(kept));
        assert_eq!(fs::read(dir.path().join(kept)).unwrap(), kept.as_bytes());
    }
}
