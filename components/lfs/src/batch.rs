//! The batch API: which objects are to be sent, and where to or from (Git LFS, docs/api/batch.md).
//!
//! The addresses in an answer are this component's own, and who uses one says anew who they are.
//! So they carry no secret, and hold for as long as the permission does: nothing in them expires.

use crate::limits::BATCH_OBJECTS_MAX;
use crate::refusal::Refusal;
use http::StatusCode;
use lithe_forge::quotas::Quota;
use lithe_lfs::Oid;
use lithe_web::Text;
use serde::{Deserialize, Serialize};
use std::io;

/// The only way to transfer an object (docs/api/basic-transfers.md).
const TRANSFER: &str = "basic";

/// The only way to name an object.
const HASH_ALGORITHM: &str = "sha256";

/// The direction of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    Download,
    Upload,
}

/// A request. Of the `ref` that a client may name nothing depends here, so it is passed over.
#[derive(Debug, Deserialize)]
pub struct BatchRequest {
    pub operation: Operation,
    transfers: Option<Vec<String>>,
    objects: Vec<ObjectRequest>,
    hash_algo: Option<String>,
}

/// An object that a client has or wants; also the body of a request to verify one.
#[derive(Debug, Deserialize)]
pub struct ObjectRequest {
    oid: String,
    /// In bytes.
    size: i64,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct BatchAnswer {
    transfer: &'static str,
    objects: Vec<ObjectAnswer>,
    hash_algo: &'static str,
}

/// What becomes of one object. Without actions and error there is nothing to do for it.
#[derive(Debug, Serialize)]
struct ObjectAnswer {
    oid: String,
    size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Actions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ObjectError>,
}

#[derive(Debug, Default, Serialize)]
struct Actions {
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<Action>,
}

#[derive(Debug, Serialize)]
struct Action {
    href: String,
}

#[derive(Debug, Serialize)]
struct ObjectError {
    code: u16,
    message: String,
}

/// What an answer is made of.
pub struct Stock<'a> {
    /// The size of a stored object, in bytes.
    pub size_of: &'a dyn Fn(&Oid) -> io::Result<Option<u64>>,
    /// What may be stored.
    pub quota: Quota,
    /// The address of the API for this repository, `http://host/team/demo.git/info/lfs`.
    pub base: &'a str,
}

impl BatchRequest {
    /// Fails if no object of it can be dealt with.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.objects.len() > BATCH_OBJECTS_MAX {
            return Err(Refusal::TooManyObjects);
        }
        let knows_basic = |transfers: &Vec<String>| transfers.iter().any(|name| name == TRANSFER);
        let is_basic = self.transfers.as_ref().is_none_or(|names| names.is_empty() || knows_basic(names));
        match is_basic {
            true => Ok(()),
            false => Err(Refusal::Invalid(format!("only the transfer `{TRANSFER}` is known here"))),
        }
    }

    /// Says for each object what is to be done.
    pub fn answer(&self, stock: &Stock) -> io::Result<BatchAnswer> {
        let is_sha256 = self.hash_algo.as_deref().is_none_or(|name| name == HASH_ALGORITHM);
        let mut used = stock.quota.used_bytes;
        let mut objects = Vec::with_capacity(self.objects.len());
        for object in &self.objects {
            let decided = match (is_sha256, object.parsed()) {
                (false, _) => Err((
                    StatusCode::CONFLICT,
                    format!("Objects are named by {HASH_ALGORITHM} here, and by nothing else."),
                )),
                (true, Err(words)) => Err((StatusCode::UNPROCESSABLE_ENTITY, words.to_owned())),
                (true, Ok((oid, size))) => match self.operation {
                    Operation::Download => download(stock, &oid, size)?,
                    Operation::Upload => upload(stock, &oid, size, &mut used)?,
                },
            };
            let (actions, error) = match decided {
                Ok(actions) => (actions, None),
                Err((code, message)) => (None, Some(ObjectError { code: code.as_u16(), message })),
            };
            objects.push(ObjectAnswer { oid: object.oid.clone(), size: object.size, actions, error });
        }
        Ok(BatchAnswer { transfer: TRANSFER, objects, hash_algo: HASH_ALGORITHM })
    }
}

impl ObjectRequest {
    /// The name and size, or what is wrong with them.
    pub fn parsed(&self) -> Result<(Oid, u64), &'static str> {
        let oid = Oid::parse(&self.oid).ok_or("An object is named by 64 lower-case hexadecimal digits.")?;
        let size = u64::try_from(self.size).map_err(|_| "A size is not negative.")?;
        Ok((oid, size))
    }
}

type Decided = Result<Option<Actions>, (StatusCode, String)>;

fn download(stock: &Stock, oid: &Oid, size: u64) -> io::Result<Decided> {
    Ok(match (stock.size_of)(oid)? {
        None => Err((StatusCode::NOT_FOUND, "This object is not on the server.".to_owned())),
        Some(stored) if stored != size => Err(other_size(stored)),
        Some(_) => Ok(Some(Actions { download: Some(stock.object(oid)), ..Actions::default() })),
    })
}

/// `used` grows by what the objects before this one in the same batch need.
fn upload(stock: &Stock, oid: &Oid, size: u64, used: &mut u64) -> io::Result<Decided> {
    match (stock.size_of)(oid)? {
        Some(stored) if stored != size => return Ok(Err(other_size(stored))),
        Some(_) => return Ok(Ok(None)),
        None => {}
    }
    if let Err(refusal) = check_room(&stock.quota, *used, size) {
        return Ok(Err((refusal.status(), refusal.sentence())));
    }
    *used = used.saturating_add(size);
    let verify = Action { href: format!("{}/objects/verify", stock.base) };
    Ok(Ok(Some(Actions { upload: Some(stock.object(oid)), verify: Some(verify), download: None })))
}

fn other_size(stored: u64) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, format!("This object has {stored} bytes."))
}

/// Fails if a file of `size` bytes, or more, is over a limit where `used` bytes are taken.
pub fn check_room(quota: &Quota, used: u64, size: u64) -> Result<(), Refusal> {
    if size > quota.object_bytes_max {
        let object_max = Text::size(quota.object_bytes_max);
        let words = format!("The largest file that is taken here has {object_max} (lfs-object-mib-max).");
        return Err(Refusal::ObjectTooLarge(words));
    }
    if used.saturating_add(size) > quota.repository_bytes_max {
        let (used, all_max) = (Text::size(used), Text::size(quota.repository_bytes_max));
        return Err(Refusal::NoRoom(format!(
            "There is no room for this file: of {all_max} for large files of this repository, {used} are \
             taken (lfs-repository-mib-max)."
        )));
    }
    Ok(())
}

impl Stock<'_> {
    fn object(&self, oid: &Oid) -> Action {
        Action { href: format!("{}/objects/{oid}", self.base) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_forge::quotas::OwnLimits;
    use serde_json::{Value, json};

    const HERE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const NEWER: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

    fn answer(request: &Value) -> Value {
        let request: BatchRequest = serde_json::from_value(request.clone()).expect("a request");
        request.check().expect("a batch");
        answer_to(&request)
    }

    /// Answers where one object of five bytes is stored, files have at most 100 bytes, and all 150.
    fn answer_to(request: &BatchRequest) -> Value {
        let size_of = |oid: &Oid| Ok((oid.as_str() == HERE).then_some(5));
        let quota = Quota {
            object_bytes_max: 100,
            repository_bytes_max: 150,
            used_bytes: 5,
            limits: OwnLimits { object_mib_max: None, repository_mib_max: None },
        };
        let answer = request.answer(&Stock { size_of: &size_of, quota, base: "http://h/a.git/info/lfs" });
        serde_json::to_value(answer.expect("it is read")).expect("JSON")
    }

    /// The answers about single objects, in short: what to do, or the error's code.
    fn outcomes(operation: &str, objects: &[(&str, i64)]) -> Vec<String> {
        let objects: Vec<Value> =
            objects.iter().map(|(oid, size)| json!({"oid": oid, "size": size})).collect();
        let answer = answer(&json!({"operation": operation, "objects": objects}));
        let outcome = |object: &Value| match (&object["error"]["code"], object["actions"].as_object()) {
            (Value::Number(code), None) => code.to_string(),
            (_, Some(actions)) => actions.keys().cloned().collect::<Vec<_>>().join(" "),
            (_, None) => "nothing".to_owned(),
        };
        answer["objects"].as_array().expect("a list").iter().map(outcome).collect()
    }

    #[test]
    fn an_answer_is_as_the_api_says() {
        let request = json!({
            "operation": "upload", "transfers": ["tus", "basic"], "ref": {"name": "refs/heads/main"},
            "objects": [{"oid": NEW, "size": 7}, {"oid": HERE, "size": 5}], "hash_algo": "sha256", "more": [1],
        });
        let expected = json!({
            "transfer": "basic", "hash_algo": "sha256",
            "objects": [
                {"oid": NEW, "size": 7, "actions": {
                    "upload": {"href": format!("http://h/a.git/info/lfs/objects/{NEW}")},
                    "verify": {"href": "http://h/a.git/info/lfs/objects/verify"},
                }},
                {"oid": HERE, "size": 5},
            ],
        });
        assert_eq!(answer(&request), expected);
    }

    #[test]
    fn each_object_has_an_outcome() {
        let cases = [
            ("download", HERE, 5, "download"),
            ("download", HERE, 6, "422"),
            ("download", NEW, 5, "404"),
            ("upload", HERE, 5, "nothing"),
            ("upload", HERE, 6, "422"),
            ("upload", NEW, 0, "upload verify"),
            ("upload", NEW, 100, "upload verify"),
            ("upload", NEW, 101, "413"),
            ("upload", NEW, i64::MAX, "413"),
            ("upload", NEW, -1, "422"),
            ("upload", "../../etc/passwd", 1, "422"),
            ("download", "", 1, "422"),
        ];
        for (operation, oid, size, expected) in cases {
            assert_eq!(outcomes(operation, &[(oid, size)]), [expected], "{operation} {oid} {size}");
        }
    }

    #[test]
    fn a_batch_gets_as_much_room_as_there_is() {
        assert_eq!(outcomes("upload", &[(NEW, 100), (NEWER, 45)]), ["upload verify", "upload verify"]);
        assert_eq!(outcomes("upload", &[(NEW, 100), (NEWER, 46)]), ["upload verify", "507"]);
        assert_eq!(
            outcomes("upload", &[(NEW, 101), (NEWER, 100)]),
            ["413", "upload verify"],
            "refused takes none"
        );
    }

    #[test]
    fn another_hash_is_refused_object_by_object() {
        let request =
            json!({"operation": "download", "objects": [{"oid": HERE, "size": 5}], "hash_algo": "sha512"});
        assert_eq!(answer(&request)["objects"][0]["error"]["code"], 409);
    }

    #[test]
    fn requests_that_make_no_sense_are_refused() {
        let read = |text: &str| match serde_json::from_str::<BatchRequest>(text) {
            Ok(request) => request.check().map_err(|refusal| refusal.status().as_u16()),
            Err(error) => Err(Refusal::from(error).status().as_u16()),
        };
        let deep = format!("{{\"objects\": {}", "[".repeat(100_000));
        let cases = [
            (r#"{"operation":"upload","objects":[]}"#, Ok(())),
            (r#"{"operation":"upload","transfers":null,"ref":null,"hash_algo":null,"objects":[]}"#, Ok(())),
            (r#"{"operation":"upload","transfers":[],"objects":[]}"#, Ok(())),
            (r#"{"operation":"upload","transfers":["tus"],"objects":[]}"#, Err(422)),
            (r#"{"operation":"delete","objects":[]}"#, Err(422)),
            (r#"{"objects":[]}"#, Err(422)),
            (r#"{"operation":"upload"}"#, Err(422)),
            (r#"{"operation":"upload","objects":{}}"#, Err(422)),
            (r#"{"operation":"upload","objects":[{"oid":1,"size":1}]}"#, Err(422)),
            (r#"{"operation":"upload","objects":[{"oid":"a","size":1.5}]}"#, Err(422)),
            (r#"{"operation":"upload","objects":[{"oid":"a","size":99999999999999999999}]}"#, Err(422)),
            (r#"{"operation":"upload","operation":"download","objects":[]}"#, Err(422)),
            ("[]", Err(422)),
            ("null", Err(422)),
            ("", Err(400)),
            ("{", Err(400)),
            (&deep, Err(422)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{}", &text[..text.len().min(100)]);
        }
    }

    #[test]
    fn damaged_requests_are_answered_or_refused() {
        lithe_fuzz::fuzz("lfs-batch", |bytes| {
            let request = crate::json::read::<BatchRequest>(bytes);
            if let Ok(request) = request
                && request.check().is_ok()
            {
                let answer = answer_to(&request);
                assert_eq!(answer["objects"].as_array().map(Vec::len), Some(request.objects.len()));
            }
        });
    }

    #[test]
    fn a_batch_has_a_largest_size() {
        let batch = |count: usize| {
            let objects = vec![json!({"oid": NEW, "size": 1}); count];
            let request = json!({"operation": "download", "objects": objects});
            serde_json::from_value::<BatchRequest>(request).expect("a request").check()
        };
        assert_eq!(batch(BATCH_OBJECTS_MAX), Ok(()));
        assert_eq!(batch(BATCH_OBJECTS_MAX + 1), Err(Refusal::TooManyObjects));
    }
}
