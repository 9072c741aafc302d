//! Moving files without losing any: a move overwrites nothing, and if the destination is on another file system, the
//! original is removed only after a copy of it is safe.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::{Builder, NamedTempFile};

/// The ending of a file's name while the file is written. A file with this ending that no process writes was left by a
/// process that died.
pub const PARTIAL: &str = ".balancer-part";

/// The result of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The file is at the destination, and nowhere else.
    Done,
    /// There is no file to move.
    Missing,
    /// Another file is at the destination; both stay where they are.
    Occupied,
}

/// Moves a file to a free name on any file system, with its permissions and times if the destination supports them. An
/// interrupted move can be repeated with the same result: an existing copy of the file at the destination counts as the
/// file.
///
/// A symbolic link moves as a link and keeps its target; the target stays in place.
///
/// # Errors
/// If the file system fails. The file then still has its old name; the destination may have a complete copy, but never
/// a partial one.
pub fn move_new(from: &Path, to: &Path) -> io::Result<Moved> {
    match attempt(from, to) {
        // Another worker is moving the same file: the present state shows its result.
        Ok(Moved::Occupied) => attempt(from, to),
        Err(error) if error.kind() == ErrorKind::NotFound => attempt(from, to),
        moved => moved,
    }
}

fn attempt(from: &Path, to: &Path) -> io::Result<Moved> {
    let Some(metadata) = if_there(from.symlink_metadata())? else { return Ok(Moved::Missing) };
    create_parent(to)?;
    if entry(from)? == entry(to)? {
        return Ok(Moved::Done);
    }
    if is_same(from, to)? {
        remove_unchanged(from, &metadata)?;
        return Ok(Moved::Done);
    }
    let moved =
        if metadata.is_symlink() { move_link(from, to, &metadata) } else { rename_or_copy(from, to, &metadata) };
    match moved {
        Ok(()) => Ok(Moved::Done),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Moved::Occupied),
        Err(error) => Err(error),
    }
}

/// Renames the file at a wanted name to a free name, and returns that.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, ending) = name.rsplit_once('.').map_or((&*name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    for number in 2_u32.. {
        let free = path.with_file_name(format!("{stem} ({number}){ending}"));
        match rename_new(path, &free) {
            Ok(()) => return Ok(free),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Writes a file if none exists: completely and durably, or not at all. `false` if one exists.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    create_parent(path)?;
    let file = partial(path)?;
    file.as_file().write_all(bytes)?;
    match publish(file, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The real location of a path: symbolic links give one location several paths.
fn entry(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(path).canonicalize()?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// `None` if the file doesn't exist.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn rename_or_copy(from: &Path, to: &Path, metadata: &Metadata) -> io::Result<()> {
    match rename_new(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => copy_over(from, to, metadata),
        renamed => renamed,
    }
}

fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // This file system has no rename without overwriting.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match if_there(to.symlink_metadata())? {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => fs::rename(from, to),
        },
        renamed => Ok(renamed?),
    }
}

/// Copies, syncs and compares the file, and only then removes the original.
fn copy_over(from: &Path, to: &Path, metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let copy = partial(to)?;
    io::copy(&mut File::open(from)?, &mut copy.as_file())?;
    // A file system without owners, modes or times still keeps the content.
    drop(fchown(copy.as_file(), Some(metadata.uid()), Some(metadata.gid())));
    drop(copy.as_file().set_permissions(metadata.permissions()));
    if let (Ok(accessed), Ok(modified)) = (metadata.accessed(), metadata.modified()) {
        drop(copy.as_file().set_times(FileTimes::new().set_accessed(accessed).set_modified(modified)));
    }
    copy.as_file().sync_all()?;
    if !have_same_content(from, copy.path())? {
        return Err(io::Error::other("it changed while it was copied"));
    }
    publish(copy, to)?;
    remove_unchanged(from, metadata)
}

/// Creates a link to the same target, and only then removes the old one. On a file system without links, the content is
/// copied instead.
fn move_link(from: &Path, to: &Path, metadata: &Metadata) -> io::Result<()> {
    let target = fs::read_link(from)?;
    let target_file = from.canonicalize();
    let moved = if target.is_absolute() { Some(target) } else { seen_from(to, from, &target)? };
    let target = match (moved, &target_file) {
        (Some(target), Err(_)) => target,
        // A link on the path may change the meaning of `..`.
        (Some(target), Ok(file)) if resolves_to(to, &target, file) => target,
        (_, Ok(file)) => file.clone(),
        (None, Err(_)) => fs::read_link(from)?,
    };
    match symlink(&target, to) {
        Ok(()) => sync_folder_of(to)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        Err(error) if target_file.is_err() => return Err(error),
        Err(_) => {
            let copy = partial(to)?;
            io::copy(&mut File::open(from)?, &mut copy.as_file())?;
            publish(copy, to)?;
        }
    }
    remove_unchanged(from, metadata)
}

/// The relative target of the link `from`, rewritten for a link at `to`. `None` if the folders have nothing in common.
fn seen_from(to: &Path, from: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    let (mut here, mut there) = (entry(to)?, entry(from)?);
    here.pop();
    there.pop();
    for component in target.components() {
        match component {
            Component::ParentDir => drop(there.pop()),
            Component::Normal(name) => there.push(name),
            _ => {}
        }
    }
    let common = here.components().zip(there.components()).take_while(|(one, other)| one == other).count();
    if common == 0 {
        return Ok(None);
    }
    let up = here.components().skip(common).map(|_| Component::ParentDir);
    Ok(Some(up.chain(there.components().skip(common)).collect()))
}

fn resolves_to(link: &Path, target: &Path, file: &Path) -> bool {
    let folder = link.parent().unwrap_or(link);
    folder.join(target).canonicalize().is_ok_and(|reached| reached == file)
}

/// Whether the destination already has the file itself, from an earlier attempt. A link to the file does not count:
/// without the file, the link would dangle.
fn is_same(from: &Path, to: &Path) -> io::Result<bool> {
    let Some(there) = if_there(to.symlink_metadata())? else { return Ok(false) };
    if there.is_symlink() {
        let leads_to = |path: &Path| path.canonicalize().ok();
        return Ok(from.is_symlink() && leads_to(to).is_some() && leads_to(to) == leads_to(from));
    }
    Ok(there.is_file() && from.is_file() && have_same_content(from, to)?)
}

fn have_same_content(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (here, there) = (one.fill_buf()?, other.fill_buf()?);
        let length = here.len().min(there.len());
        if here[..length] != there[..length] || here.is_empty() != there.is_empty() {
            return Ok(false);
        }
        if length == 0 {
            return Ok(true);
        }
        one.consume(length);
        other.consume(length);
    }
}

/// Removes a file, unless another one has replaced it since it was inspected.
fn remove_unchanged(path: &Path, seen: &Metadata) -> io::Result<()> {
    let identity = |file: &Metadata| (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
    match if_there(path.symlink_metadata())? {
        Some(now) if identity(&now) != identity(seen) => Err(io::Error::other("it changed while it was moved")),
        Some(_) => if_there(fs::remove_file(path)).map(drop),
        None => Ok(()),
    }
}

fn partial(path: &Path) -> io::Result<NamedTempFile> {
    temporary_file(path.parent().unwrap_or(path))
}

/// A hidden, empty temporary file in a folder, removed with its handle. Its name ends in [`PARTIAL`]. The user's umask
/// determines the permissions, as for any other file; those of a temporary file would be private.
pub fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let permissions = Permissions::from_mode(0o666);
    Builder::new().prefix(".").suffix(PARTIAL).permissions(permissions).tempfile_in(folder)
}

/// Renames a written file to its final name if that is free.
fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder_of(path)
}

/// Syncs a folder so that a new name survives a power cut. Some file systems don't support this; they sync by
/// themselves or not at all.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match File::open(path.parent().unwrap_or(path))?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

#[cfg(test)]
mod tests;
