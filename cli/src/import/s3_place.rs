//! Objects in S3 that a manifest names.

use serde::Serialize;

/// An image that lies only in S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnlyInS3 {
    pub file: String,
    /// The address in the manifest.
    pub s3_url: String,
    /// `None` if the address has another form.
    #[serde(flatten)]
    pub place: Option<S3Place>,
}

/// The place of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct S3Place {
    pub bucket: String,
    pub key: String,
}

impl OnlyInS3 {
    pub fn new(file: &str, s3_url: &str) -> Self {
        Self { file: file.to_owned(), s3_url: s3_url.to_owned(), place: S3Place::parse(s3_url) }
    }
}

impl S3Place {
    /// Reads `s3://BUCKET/KEY`, and the web addresses of objects with the bucket in the host or in the path. Keys in web
    /// addresses are percent-encoded.
    pub fn parse(url: &str) -> Option<Self> {
        let (bucket, key) = match url.strip_prefix("s3://") {
            Some(place) => {
                let (bucket, key) = place.split_once('/')?;
                (bucket.to_owned(), key.to_owned())
            }
            None => {
                let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
                let host = host.strip_suffix(".amazonaws.com")?;
                let key = |text: &str| domain::keys::url_decoded(&text.replace('+', "%2B")).ok();
                match host.split_once(".s3") {
                    Some((bucket, _)) => (bucket.to_owned(), key(path)?),
                    None if host.starts_with("s3") => {
                        let (bucket, path) = path.split_once('/')?;
                        (bucket.to_owned(), key(path)?)
                    }
                    None => return None,
                }
            }
        };
        (!bucket.is_empty() && !key.is_empty()).then_some(Self { bucket, key })
    }

    /// The address of its folder, with a slash at its end.
    pub fn folder(&self) -> String {
        let folder = self.key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        format!("s3://{}/{folder}", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_address_names_bucket_and_key() {
        for (url, bucket, key) in [
            ("s3://b/system_actors/a_1.jpg", "b", "system_actors/a_1.jpg"),
            ("https://story-boards.s3.us-west-1.amazonaws.com/x/a%20b_1.jpg", "story-boards", "x/a b_1.jpg"),
            ("https://b.s3.amazonaws.com/a+b.jpg", "b", "a+b.jpg"),
            ("https://s3.eu-west-1.amazonaws.com/b/x/a.jpg", "b", "x/a.jpg"),
        ] {
            let place = S3Place::parse(url).unwrap();
            assert_eq!((place.bucket.as_str(), place.key.as_str()), (bucket, key), "{url}");
        }
        for url in ["", "s3://b", "s3:///a", "https://example.com/a.jpg", "http://b.s3.amazonaws.com/", "../a.jpg"] {
            assert_eq!(S3Place::parse(url), None, "{url}");
        }
        assert_eq!(S3Place::parse("s3://b/x/y/a.jpg").unwrap().folder(), "s3://b/x/y/");
    }
}
