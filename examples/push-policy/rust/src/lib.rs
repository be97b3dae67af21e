//! A push policy: who does not administer a repository pushes to branches below the own name,
//! `anna/…`; and while there is a file `frozen` in the repository's directory, nobody pushes anything.

wit_bindgen::generate!({ path: "../../../wit/deps/push-policy", world: "policy" });

use exports::lithe::policy::push_policy::*;

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn prepare(_: Repository, _: Pusher, _: Vec<Rules>) -> Result<Needs, String> {
        Ok(Needs::CHECK)
    }

    fn check(push: Push, _: Vec<Rules>) -> Result<Verdict, String> {
        let mut verdict = Verdict { refusal: None, refused_refs: vec![], messages: vec![] };
        if let Ok(reason) = std::fs::read_to_string(format!("/repos/{}/frozen", push.repository.directory)) {
            verdict.refusal = Some(format!("frozen: {}", reason.trim()));
        }
        let name = push.pusher.name;
        for update in push.updates {
            let is_own = update.name.starts_with(&format!("refs/heads/{name}/"));
            if !is_own && push.pusher.permission != Permission::Admin {
                verdict.messages.push(format!("Hello {name}: {} is not below {name}/.", update.name));
                let reason = format!("push to {name}/… instead");
                verdict.refused_refs.push(RefusedRef { name: update.name, reason });
            }
        }
        Ok(verdict)
    }
}
