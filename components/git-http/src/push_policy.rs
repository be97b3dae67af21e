//! Asking the push policy: the rules that hold come from the store, the values from the push, and
//! the last word from the component `push-policy`, whoever wrote that.

mod answer;
mod facts;
mod signatures;
mod values;

use crate::opening::Opened;
use crate::receive_pack::{Judge, Judgement, Proposal};
use facts::FactError;
use lithe_forge::push_policy::{self, Arrived, Needs, Push, Repository, Rules};
use lithe_forge::{Requester, push_rules, signers};
use lithe_git::proposed::Objects;

/// The policy for a push to a repository.
pub struct Policy<'a> {
    pub requester: &'a Requester,
    pub repository: &'a Opened,
}

impl Judge for Policy<'_> {
    fn judge(&mut self, proposal: &Proposal) -> Judgement {
        self.ask(proposal).unwrap_or_else(Judgement::refusal)
    }
}

impl Policy<'_> {
    /// Asks what speaks against a push. Fails with why all of it is refused, in words for the pusher.
    fn ask(&self, proposal: &Proposal) -> Result<Judgement, String> {
        let path = self.repository.permanent_path();
        let terms =
            self.requester.call(|credentials, client| push_rules::in_force(credentials, client, &path));
        let terms = terms.map_err(|error| {
            eprintln!("the rules for pushes to {} cannot be read: {error:?}", self.repository.path);
            "the rules for pushes cannot be read".to_owned()
        })?;
        let repository = Repository {
            id: self.repository.id,
            path: self.repository.path.clone(),
            directory: values::below_mount(proposal.git_dir),
        };
        let pusher = values::pusher(terms.pusher);
        let rules: Vec<Rules> = terms.rules.into_iter().map(values::rules).collect();
        let needs = push_policy::prepare(&repository, &pusher, &rules).map_err(answer::no_verdict)?;
        if !needs.contains(Needs::CHECK) {
            return Ok(Judgement::default());
        }
        let facts = self.facts(proposal, needs).map_err(|error| self.in_words(&error))?;
        let arrived = proposal.arrived.as_ref().map(|arrived| Arrived {
            directory: values::below_mount(arrived.objects_dir),
            pack_bytes: arrived.pack_bytes,
            object_count: u32::try_from(arrived.object_count).unwrap_or(u32::MAX),
        });
        let push = Push {
            repository,
            pusher,
            updates: facts.updates,
            arrived,
            repository_bytes: facts.repository_bytes,
            known_addresses: facts.known_addresses,
            signatures: facts.signatures,
            options: proposal.options.iter().map(ToString::to_string).collect(),
        };
        let verdict = push_policy::check(&push, &rules).map_err(answer::no_verdict)?;
        answer::judgement(verdict, &push.updates)
    }

    /// Finds out what the policy needs to be told.
    fn facts(&self, proposal: &Proposal, needs: Needs) -> Result<Facts, FactError> {
        let quarantine = proposal.arrived.as_ref().map(|arrived| arrived.objects_dir.to_path_buf());
        let objects = Objects::open(proposal.git_dir, quarantine)?;
        let updates = facts::updates(proposal, &objects)?;
        let repository_bytes = match needs.contains(Needs::REPOSITORY_BYTES) {
            true => Some(facts::objects_bytes(proposal.git_dir).map_err(FactError::Directory)?),
            false => None,
        };
        let known_addresses = match needs.contains(Needs::KNOWN_ADDRESSES) {
            true => self.known_among(facts::addresses(proposal, &objects)?)?,
            false => Vec::new(),
        };
        let signatures = match needs.contains(Needs::SIGNATURES) {
            true => signatures::judged(proposal, &objects, |names, addresses| self.keys(names, addresses))?,
            false => Vec::new(),
        };
        Ok(Facts { updates, repository_bytes, known_addresses, signatures })
    }

    /// The keys of accounts that the names stand for.
    fn keys(&self, names: &[String], addresses: &[String]) -> Result<Vec<signers::KnownKey>, FactError> {
        let path = self.repository.permanent_path();
        self.requester
            .call(|credentials, client| signers::find(credentials, client, &path, names, addresses))
            .map_err(FactError::Forge)
    }

    /// Those of the addresses that belong to an account.
    fn known_among(&self, addresses: Vec<String>) -> Result<Vec<String>, FactError> {
        let path = self.repository.permanent_path();
        let mut known = Vec::new();
        for asked in addresses.chunks(facts::ADDRESSES_ASKED_MAX) {
            let answer = self
                .requester
                .call(|credentials, client| push_rules::known_addresses(credentials, client, &path, asked));
            known.extend(answer.map_err(FactError::Forge)?);
        }
        Ok(known)
    }

    /// What to tell the pusher; what only the operator can mend goes to the log.
    fn in_words(&self, error: &FactError) -> String {
        if !error.is_for_pusher() {
            eprintln!("a push to {} cannot be judged: {error}", self.repository.path);
            return "the push cannot be judged at the moment".to_owned();
        }
        error.to_string()
    }
}

/// What the policy is told besides what is known anyway.
struct Facts {
    updates: Vec<push_policy::Update>,
    repository_bytes: Option<u64>,
    known_addresses: Vec<String>,
    signatures: Vec<push_policy::Signature>,
}
