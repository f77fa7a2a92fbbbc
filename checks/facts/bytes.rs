//! Paths, words of the system and other bytes in JSON: `#[serde(with = "bytes")]`.
//!
//! Almost all of them are UTF-8 and become a string that a person can read; the others become `{"bytes": "BASE64"}`, so that
//! none is changed on the way. Containers of them are taken apart: [`Recorded`] lists which.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What can be written to JSON by `#[serde(with = "bytes")]`.
pub trait Recorded: Sized {
    /// Writes it.
    ///
    /// # Errors
    /// Those of `serializer`.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads it.
    ///
    /// # Errors
    /// Those of `deserializer`, and base64 that is none.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Writes `value`, for `#[serde(with)]`.
///
/// # Errors
/// Those of `serializer`.
pub fn serialize<T: Recorded, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// Reads a value, for `#[serde(with)]`.
///
/// # Errors
/// Those of `deserializer`, and base64 that is none.
pub fn deserialize<'de, T: Recorded, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// How bytes stand in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(Cow<'a, str>),
    Bytes { bytes: String },
}

impl Recorded for Vec<u8> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match std::str::from_utf8(self) {
            Ok(text) => Form::Text(text.into()),
            Err(_) => Form::Bytes { bytes: STANDARD.encode(self) },
        };
        form.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(text.into_owned().into_bytes()),
            Form::Bytes { bytes } => STANDARD.decode(bytes).map_err(D::Error::custom),
        }
    }
}

/// The bytes of a word of the system's. Where those are not bytes (Windows), what is no text is replaced.
#[cfg(unix)]
pub fn of(word: &OsStr) -> Cow<'_, [u8]> {
    std::os::unix::ffi::OsStrExt::as_bytes(word).into()
}

/// The bytes of a word of the system's. Where those are not bytes (Windows), what is no text is replaced.
#[cfg(not(unix))]
pub fn of(word: &OsStr) -> Cow<'_, [u8]> {
    word.to_string_lossy().into_owned().into_bytes().into()
}

/// The word that `bytes` are for the system. Where those are not bytes (Windows), what is no text is replaced.
#[cfg(unix)]
pub fn word(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

/// The word that `bytes` are for the system. Where those are not bytes (Windows), what is no text is replaced.
#[cfg(not(unix))]
pub fn word(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

impl Recorded for OsString {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        of(self).into_owned().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::read(deserializer).map(word)
    }
}

impl Recorded for PathBuf {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        of(self.as_os_str()).into_owned().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OsString::read(deserializer).map(PathBuf::from)
    }
}

/// Lends a [`Recorded`] value to serde.
struct Lent<'a, T>(&'a T);

impl<T: Recorded> Serialize for Lent<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Takes a [`Recorded`] value from serde.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Given<T>(T);

impl<'de, T: Recorded> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Given)
    }
}

impl<T: Recorded> Recorded for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Lent).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Given<T>>::deserialize(deserializer)?.map(|Given(value)| value))
    }
}

impl<T: Recorded> Recorded for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Lent))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Given<T>>::deserialize(deserializer)?.into_iter().map(|Given(value)| value).collect())
    }
}

impl<T: Recorded, E: Serialize + for<'a> Deserialize<'a>> Recorded for Result<T, E> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Lent).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Result::<Given<T>, E>::deserialize(deserializer)?.map(|Given(value)| value))
    }
}

impl<A: Recorded, B: Recorded> Recorded for (A, B) {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Lent(&self.0), Lent(&self.1)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(Given<A>, Given<B>)>::deserialize(deserializer).map(|(Given(a), Given(b))| (a, b))
    }
}

/// A list of pairs: JSON's own maps have text for keys. The values are those of serde, not bytes.
impl<K: Recorded + Ord, V: Serialize + for<'a> Deserialize<'a>> Recorded for BTreeMap<K, V> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|(key, value)| (Lent(key), value)))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<(Given<K>, V)>::deserialize(deserializer)?.into_iter().map(|(Given(key), value)| (key, value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Sample {
        #[serde(with = "super")]
        path: PathBuf,
        #[serde(with = "super")]
        maybe: Option<OsString>,
        #[serde(with = "super")]
        blob: Vec<u8>,
        #[serde(with = "super")]
        found: Option<Vec<u8>>,
        #[serde(with = "super")]
        many: Vec<PathBuf>,
        #[serde(with = "super")]
        answers: BTreeMap<PathBuf, u32>,
        #[serde(with = "super")]
        nested: Option<Result<PathBuf, String>>,
    }

    #[test]
    fn text_stays_readable_and_other_bytes_survive() {
        let path = |bytes: &[u8]| PathBuf::from(word(bytes.to_vec()));
        let sample = Sample {
            path: path(b"/home/\xffann/.ssh"),
            maybe: Some("x".into()),
            blob: vec![0, 255, 7],
            found: Some(b"said \"no\"\n".to_vec()),
            many: vec![path(b"/a"), path(b"\xc3"), path("/ü".as_bytes())],
            answers: [(path(b"/\xfe"), 1), (path(b"/b"), 2)].into(),
            nested: Some(Ok(path(b"/\xfd"))),
        };
        survives_json(&sample);
        survives_json(&Sample { nested: Some(Err("gone".into())), ..Sample::default() });
        survives_json(&Sample::default());
        let json = serde_json::to_string(&sample).expect("serialises");
        assert!(json.contains(r#""path":{"bytes":"L2hvbWUv/2Fubi8uc3No"}"#), "{json}");
        assert!(json.contains(r#""many":["/a",{"bytes":"ww=="},"/ü"]"#), "{json}");
        assert!(json.contains(r#""answers":[["/b",2],[{"bytes":"L/4="},1]]"#), "{json}");
    }
}
