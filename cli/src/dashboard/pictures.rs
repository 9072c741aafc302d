//! The pictures of the pages, encoded again: never the bytes of a file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::thumbnail::thumbnail;

/// The pictures that are decoded at the same time; each may need much memory.
const AT_ONCE: usize = 2;

/// The size of the cache.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The thumbnails by the version of the file and their longest side.
pub struct Pictures {
    cache: Mutex<Cache>,
    decoding: Semaphore,
}

/// A version of a picture in one size. The version is unique among all actors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub name: String,
    pub side: u32,
}

#[derive(Default)]
struct Cache {
    kept: BTreeMap<Version, (u64, Arc<Vec<u8>>)>,
    bytes: usize,
    uses: u64,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { cache: Mutex::default(), decoding: Semaphore::new(AT_ONCE) }
    }
}

impl Version {
    /// The version of a file with this content.
    pub fn of_bytes(bytes: &[u8], side: u32) -> Self {
        Self { name: hex(&Sha256::digest(bytes)), side }
    }

    /// Quoted, as in the header.
    fn etag(&self) -> String {
        format!("\"{}-{}\"", hex(&Sha256::digest(&self.name)), self.side)
    }

    /// Whether the browser has this version.
    pub fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        known.is_some_and(|known| known.split(',').any(|etag| etag.trim() == self.etag()))
    }

    /// The answer that the browser may use its copy.
    pub fn unchanged(&self, caching: &'static str) -> Response {
        let headers = [(header::ETAG, self.etag()), (header::CACHE_CONTROL, caching.to_owned())];
        (StatusCode::NOT_MODIFIED, headers).into_response()
    }

    /// The answer with the picture.
    pub fn answer(&self, jpeg: &[u8], caching: &'static str) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "image/jpeg".to_owned()),
            (header::ETAG, self.etag()),
            (header::CACHE_CONTROL, caching.to_owned()),
        ];
        (headers, jpeg.to_vec()).into_response()
    }
}

impl Pictures {
    pub fn cached(&self, version: &Version) -> Option<Arc<Vec<u8>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(version)
    }

    /// Encodes a file, and keeps the result. Fails if the file is unusable as an image.
    pub async fn encode(&self, version: &Version, bytes: Vec<u8>) -> anyhow::Result<Arc<Vec<u8>>> {
        let _turn = self.decoding.acquire().await?;
        if let Some(jpeg) = self.cached(version) {
            return Ok(jpeg);
        }
        let side = version.side;
        let jpeg = Arc::new(tokio::task::spawn_blocking(move || thumbnail(&bytes, side)).await??);
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put(version.clone(), Arc::clone(&jpeg), MAX_BYTES);
        Ok(jpeg)
    }
}

impl Cache {
    fn get(&mut self, version: &Version) -> Option<Arc<Vec<u8>>> {
        self.uses += 1;
        let uses = self.uses;
        self.kept.get_mut(version).map(|(used, jpeg)| {
            *used = uses;
            Arc::clone(jpeg)
        })
    }

    /// Removes the pictures that have not been used for the longest time until the new one fits.
    fn put(&mut self, version: Version, jpeg: Arc<Vec<u8>>, max_bytes: usize) {
        self.uses += 1;
        self.bytes += jpeg.len();
        if let Some((_, replaced)) = self.kept.insert(version, (self.uses, jpeg)) {
            self.bytes -= replaced.len();
        }
        while self.bytes > max_bytes {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(version, _)| version.clone());
            let Some((_, removed)) = oldest.and_then(|oldest| self.kept.remove(&oldest)) else { break };
            self.bytes -= removed.len();
        }
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_drops_what_was_used_longest_ago() {
        let version = |name: &str| Version { name: name.to_owned(), side: 320 };
        let mut cache = Cache::default();
        for name in ["a", "b"] {
            cache.put(version(name), Arc::new(vec![0; 4]), 10);
        }
        cache.get(&version("a"));
        cache.put(version("c"), Arc::new(vec![0; 4]), 10);
        let kept: Vec<&str> = cache.kept.keys().map(|version| version.name.as_str()).collect();
        assert_eq!((kept, cache.bytes), (vec!["a", "c"], 8));
        cache.put(version("d"), Arc::new(vec![0; 40]), 10);
        assert_eq!((cache.kept.len(), cache.bytes), (0, 0), "a picture larger than the cache");
    }
}
