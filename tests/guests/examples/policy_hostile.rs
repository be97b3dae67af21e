//! In the place of `push-policy`: fails in the way that the push options ask for.

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/deps/push-policy",
    world: "policy",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

use exports::lithe::policy::push_policy::{
    Guest, Needs, Push, Pusher, RefusedRef, Repository, Rules, Verdict,
};

struct Hostile;
export!(Hostile);

impl Guest for Hostile {
    fn prepare(repository: Repository, _: Pusher, _: Vec<Rules>) -> Result<Needs, String> {
        match std::fs::exists(format!("/repos/{}/no-prepare", repository.directory)) {
            Ok(true) => panic!("as asked"),
            _ => Ok(Needs::all()),
        }
    }

    fn check(push: Push, _: Vec<Rules>) -> Result<Verdict, String> {
        let mut verdict = Verdict { refusal: None, refused_refs: Vec::new(), messages: Vec::new() };
        match push.options.first().map_or("", String::as_str) {
            "trap" => panic!("as asked"),
            "loop" => loop {
                std::hint::spin_loop();
            },
            "memory" => drop(std::hint::black_box(vec![1_u8; 1 << 30])),
            "error" => return Err("there is nobody to ask".to_owned()),
            "nonsense" => {
                let reason = "no".to_owned();
                verdict.refused_refs.push(RefusedRef { name: "refs/heads/other".to_owned(), reason });
            }
            "silent" => verdict.refusal = Some(String::new()),
            "cursor" => verdict.refusal = Some("a\x1b[2Jb".to_owned()),
            "write" => {
                let file = format!("/repos/{}/written", push.repository.directory);
                verdict.refusal = Some(format!("written: {}", std::fs::write(file, "x").is_ok()));
            }
            "told" => {
                let repository_bytes = push.repository_bytes.ok_or("no size")?;
                let arrived = push.arrived.ok_or("nothing arrived")?;
                let files = std::fs::read_dir(format!("/repos/{}", arrived.directory));
                let names: Vec<String> = push.updates.iter().map(|update| update.name.clone()).collect();
                verdict.messages = vec![
                    format!("{} {:?} {:?}", push.pusher.name, push.pusher.permission, names),
                    format!("change {:?}", push.updates[0].change),
                    format!("{} objects, sized {}", arrived.object_count, arrived.pack_bytes > 0),
                    format!("repository sized {}, readable {}", repository_bytes > 0, files.is_ok()),
                    format!("known {:?}", push.known_addresses),
                    format!("signatures {}", push.signatures.len()),
                ];
            }
            _ => {}
        }
        Ok(verdict)
    }
}
