//! `.balancer` in the data folder: the records and objects of a run that has not ended in an orderly way, and the day's
//! spending.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use aws::store::Store;
use aws::store::local_runs::DayAccounts;
use domain::actor::ActorId;
use handlers::Clock;
use local_stack::{create_private_dir, has_state, remove_state};

use super::data_folder::{ActorFolder, STATE_FOLDER};
use crate::atomic_file::write_atomically;
use crate::outcome::remark;

const SPENDING: &str = "spending.json";

/// The state folder of a run that holds the lock of the data folder.
pub struct StateFolder {
    dir: PathBuf,
}

/// What a run leaves in its state folder.
pub enum Remains {
    /// The records and objects: the next run continues with them.
    Everything,
    /// Only the spending of the day.
    Spending(DayAccounts),
}

impl StateFolder {
    /// Opens or creates the state folder of a data folder. Without one, the run works too, and reports what it lacks.
    pub fn open(data: &Path) -> Option<Self> {
        let dir = data.join(STATE_FOLDER);
        match prepare(&dir) {
            Ok(()) => Some(Self { dir }),
            Err(problem) => {
                remark(format!(
                    "{} can't be used ({problem}): if this run is killed, the next one pays again for the images in progress",
                    dir.display()
                ));
                None
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Takes over what earlier runs have left: the records of a killed one, which the table has by now, or else the
    /// spending of this day. Returns the actors with records.
    pub async fn take_over(&self, store: &Store) -> anyhow::Result<BTreeSet<ActorId>> {
        let actors = store.actors().await.with_context(|| {
            let dir = self.dir.display();
            format!("the unfinished work of an earlier run can't be read; to start without it, remove {dir}")
        })?;
        let left: BTreeSet<ActorId> = actors.into_keys().collect();
        if !left.is_empty() {
            remark(format!("continuing what an earlier run has left unfinished, from {}", self.dir.display()));
        } else if let Some(accounts) = self.accounts_of_today() {
            store.import_accounts(&accounts).await?;
        }
        Ok(left)
    }

    fn accounts_of_today(&self) -> Option<DayAccounts> {
        let path = self.dir.join(SPENDING);
        let text = fs::read(&path).ok()?;
        match serde_json::from_slice::<DayAccounts>(&text) {
            Ok(accounts) => Some(accounts).filter(|accounts| accounts.day == Clock::system().today()),
            Err(problem) => {
                remark(format!("ignored {}: it is damaged ({problem}), so the day's budgets are full", path.display()));
                None
            }
        }
    }

    /// What must be kept after a run with these actors: everything if an image may be paid for and is not in its place,
    /// or if work on an actor outside this run is unfinished.
    pub async fn remains(&self, store: &Store, actors: &[ActorId]) -> anyhow::Result<Remains> {
        let unfinished = store.unfinished().await?;
        let is_waiting = |actor: &ActorId| !actors.contains(actor) && self.has_folder(actor);
        if !unfinished.images.is_empty() || unfinished.work.iter().any(is_waiting) {
            return Ok(Remains::Everything);
        }
        Ok(Remains::Spending(store.accounts(Clock::system().today()).await?))
    }

    /// Whether the data folder has a folder of this actor.
    pub fn has_folder(&self, actor: &ActorId) -> bool {
        self.dir.parent().is_some_and(|data| ActorFolder::find(data, actor).is_ok())
    }

    /// Ends a run, whose stack has ended.
    pub fn close(self, remains: &Remains) {
        let dir = self.dir.display();
        match remains {
            Remains::Everything => remark(format!("unfinished work is kept in {dir}; the next run continues it")),
            Remains::Spending(accounts) => {
                if let Err(problem) = self.keep_only(accounts) {
                    remark(format!("{dir} can't be cleared, so the next run will find unfinished work: {problem:#}"));
                }
            }
        }
    }

    fn keep_only(&self, accounts: &DayAccounts) -> anyhow::Result<()> {
        let spending = self.dir.join(SPENDING);
        if accounts.is_empty() {
            // If there is a file, it is of an earlier day.
            drop(fs::remove_file(&spending));
        } else {
            // Before the records are removed, because they contain the spending too.
            write_atomically(&spending, &serde_json::to_vec_pretty(accounts)?)?;
        }
        Ok(remove_state(&self.dir)?)
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // Fails if the folder contains anything.
        drop(fs::remove_dir(&self.dir));
    }
}

fn prepare(dir: &Path) -> io::Result<()> {
    create_private_dir(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    // An earlier run ended before it had removed its objects.
    if has_state(dir) { Ok(()) } else { remove_state(dir) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws::store::spending::Spending;
    use domain::money::MicroUsd;

    use super::*;

    fn accounts(amount: u64) -> DayAccounts {
        let sums = Spending { committed: MicroUsd(amount), spent: MicroUsd(amount) };
        let actors = BTreeMap::from([("hero".parse().unwrap(), sums)]);
        DayAccounts { day: Clock::system().today(), total: sums, actors }
    }

    /// A data folder with the state of a killed run.
    fn left() -> (tempfile::TempDir, PathBuf) {
        let data = tempfile::tempdir().unwrap();
        let dir = data.path().join(STATE_FOLDER);
        fs::create_dir_all(dir.join("objects")).unwrap();
        fs::write(dir.join("objects/1"), "image").unwrap();
        fs::write(dir.join("records.jsonl"), "records").unwrap();
        (data, dir)
    }

    fn names_in(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_spending_stays_after_an_orderly_end() {
        let (data, dir) = left();
        StateFolder::open(data.path()).unwrap().close(&Remains::Spending(accounts(40_000)));
        assert_eq!(names_in(&dir), [SPENDING]);
        let next = StateFolder::open(data.path()).unwrap();
        assert_eq!(next.accounts_of_today(), Some(accounts(40_000)));
        next.close(&Remains::Spending(accounts(0)));
        assert!(!dir.exists());
    }

    #[test]
    fn spending_of_an_earlier_day_does_not_count() {
        let (data, dir) = left();
        let yesterday = DayAccounts { day: Clock::system().today().yesterday().unwrap(), ..accounts(1) };
        fs::write(dir.join(SPENDING), serde_json::to_vec(&yesterday).unwrap()).unwrap();
        assert_eq!(StateFolder::open(data.path()).unwrap().accounts_of_today(), None);
    }

    #[test]
    fn state_folder_is_private_and_keeps_unfinished_work() {
        let (data, dir) = left();
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        StateFolder::open(data.path()).unwrap().close(&Remains::Everything);
        assert_eq!(names_in(&dir), ["objects", "records.jsonl"]);
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn objects_without_records_are_removed() {
        let (data, dir) = left();
        fs::write(dir.join("records.jsonl"), "").unwrap();
        let state = StateFolder::open(data.path()).unwrap();
        assert!(names_in(&dir).is_empty());
        drop(state);
        assert!(!dir.exists(), "a run that never began leaves no folder");
    }
}
