"""A push policy: who does not administer a repository pushes to branches below the own name,
`anna/…`; and while there is a file `frozen` in the repository's directory, nobody pushes anything."""

from wit_world import exports
from wit_world.exports.push_policy import Needs, Permission, RefusedRef, Verdict


class PushPolicy(exports.PushPolicy):
    def prepare(self, repository, pusher, rules):
        return Needs.CHECK

    def check(self, push, rules):
        try:
            with open(f"/repos/{push.repository.directory}/frozen") as file:
                return Verdict(refusal=f"frozen: {file.read().strip()}", refused_refs=[], messages=[])
        except FileNotFoundError:
            pass
        verdict = Verdict(refusal=None, refused_refs=[], messages=[])
        name = push.pusher.name
        for update in push.updates:
            is_own = update.name.startswith(f"refs/heads/{name}/")
            if not is_own and push.pusher.permission != Permission.ADMIN:
                verdict.refused_refs.append(RefusedRef(update.name, f"push to {name}/… instead"))
                verdict.messages.append(f"Hello {name}: {update.name} is not below {name}/.")
        return verdict
