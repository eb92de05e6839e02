//! Which path is answered by what, and who gets that far.

use super::answer::Answer;
use super::asked::{Caller, Confined, Scene};
use super::seed::Permission;
use super::world::{Download, Numbers, Repository, World};
use super::{account, archive, branches, checks, compare, create_deployment, deployment_statuses, deployments, git, pulls, refs, rules};

/// What an answer may touch outside its repository.
#[derive(Debug)]
pub(super) struct Hands<'w> {
    pub(super) numbers: &'w mut Numbers,
    pub(super) downloads: &'w mut Vec<Download>,
    pub(super) violations: &'w mut Vec<String>,
}

impl Repository {
    /// What the caller may do here; nothing if they cannot even see it.
    pub(super) fn allows(&self, caller: &Caller) -> Option<Permission> {
        if self.private && caller.confined.as_ref().is_some_and(|confined| !confined.reaches(&self.owner)) {
            return None;
        }
        let granted = caller.login.as_ref().and_then(|login| self.grants.get(&login.to_lowercase())).copied();
        granted.or(if self.private { None } else { Some(Permission::Read) })
    }

    /// Whether the organisation keeps the caller's app out.
    pub(super) fn is_walled_off_for(&self, caller: &Caller) -> bool {
        self.walled && matches!(caller.confined, Some(Confined::Scopes(_)))
    }
}

impl World {
    /// What a former name stands for.
    pub(super) fn present_name(&self, former: &str) -> Option<&Repository> {
        let wanted = former.to_lowercase();
        let id = self.moved.iter().rev().find(|(name, _)| *name == wanted).map(|(_, id)| *id)?;
        self.repositories.iter().find(|repository| repository.id == id)
    }
}

pub(super) fn answer(world: &mut World, scene: &Scene<'_>) -> Result<Answer, Answer> {
    let asked = scene.asked;
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    if asked.path != "/" && asked.path.ends_with('/') {
        return Err(Answer::not_found());
    }
    match segments.as_slice() {
        [""] if asked.reads() => Ok(account::root(scene)),
        ["user"] if asked.reads() => account::current(scene),
        ["user", "repos"] if asked.reads() => account::repositories(world, scene),
        ["rate_limit"] if asked.reads() => Ok(account::rate_limit(world, scene)),
        ["versions"] if asked.reads() => Ok(account::versions()),
        ["repos", owner, name, rest @ ..] => {
            let full_name = format!("{owner}/{name}");
            match world.repositories.iter().position(|repository| repository.is_named(&full_name)) {
                Some(place) => inside(world, scene, place, rest),
                None => Err(moved(world, scene, &full_name)),
            }
        }
        ["repositories", id, rest @ ..] => {
            let place = world.repositories.iter().position(|repository| repository.id.to_string() == *id);
            inside(world, scene, place.ok_or_else(Answer::not_found)?, rest)
        }
        _ => Err(Answer::unknown(&asked.path)),
    }
}

/// The way from a former name to the numeric address, for those who may see the repository.
fn moved(world: &World, scene: &Scene<'_>, full_name: &str) -> Answer {
    let visible = world.present_name(full_name).filter(|repository| repository.allows(scene.caller).is_some());
    let Some(Repository { id, .. }) = visible else { return Answer::not_found() };
    let below = scene.asked.below_repository();
    let below = if below.is_empty() { below } else { format!("/{below}") };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&scene.asked.query).finish();
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let url = format!("{}/repositories/{id}{below}{query}", scene.api);
    let body = serde_json::json!({
        "message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com/v3/#http-redirects",
    });
    Answer::json(if scene.asked.reads() { 301 } else { 307 }, &body).with("location", url)
}

/// Everything below a repository.
fn inside(world: &mut World, scene: &Scene<'_>, place: usize, rest: &[&str]) -> Result<Answer, Answer> {
    let World { repositories, numbers, downloads, violations, .. } = world;
    let repository = repositories.get_mut(place).ok_or_else(Answer::not_found)?;
    let permission = repository.allows(scene.caller).ok_or_else(Answer::not_found)?;
    if repository.saml {
        return Err(single_sign_on(repository, scene));
    }
    if repository.is_walled_off_for(scene.caller) {
        return Err(walled(repository));
    }
    let hands = Hands { numbers, downloads, violations };
    if scene.asked.reads() {
        let partial = repository.partial;
        let answer = read(repository, scene, permission, hands, rest)?;
        return Ok(if partial { answer.with("x-github-sso", "partial-results; organizations=21955855,20582480") } else { answer });
    }
    if scene.caller.login.is_none() {
        return Err(Answer::error(401, "Requires authentication"));
    }
    if permission < Permission::Write {
        return Err(Answer::error(403, "Must have push access to repository"));
    }
    if repository.archived {
        return Err(Answer::error(403, "Repository was archived so is read-only."));
    }
    match (scene.asked.method.as_str(), rest) {
        ("POST", ["statuses", sha]) => checks::create_status(repository, scene, hands, sha),
        ("POST", ["deployments"]) => create_deployment::create(repository, scene, hands),
        ("POST", ["deployments", id, "statuses"]) => deployment_statuses::create(repository, scene, hands, id),
        ("POST", ["git", "commits"]) => git::create_commit(repository, scene),
        ("POST", ["git", "refs"]) => git::create_ref(repository, scene),
        ("PATCH", ["git", "refs", name @ ..]) => git::move_ref(repository, scene, &name.join("/")),
        ("DELETE", ["git", "refs", name @ ..]) => git::delete_ref(repository, scene, &name.join("/")),
        ("POST", ["pulls"]) => pulls::create(repository, scene, hands),
        _ => Err(Answer::unknown(&scene.asked.path)),
    }
}

fn read(repository: &mut Repository, scene: &Scene<'_>, permission: Permission, hands: Hands<'_>, rest: &[&str]) -> Result<Answer, Answer> {
    match rest {
        [] => Ok(account::repository(repository, scene)),
        ["branches"] => Ok(branches::list(repository, scene)),
        ["branches", name @ .., "protection"] => rules::protection(repository, scene, permission, &name.join("/")),
        ["branches", name @ .., "protection", "required_status_checks"] => {
            rules::required_checks(repository, scene, permission, &name.join("/"))
        }
        ["branches", name @ .., "protection", "required_status_checks", "contexts"] => {
            rules::contexts(repository, permission, &name.join("/"))
        }
        ["branches", name @ ..] => branches::one(repository, scene, &name.join("/")),
        ["rules", "branches", name @ ..] => Ok(rules::of_branch(repository, scene, &name.join("/"))),
        ["rulesets"] => Ok(rules::rulesets(repository, scene)),
        ["rulesets", id] => rules::ruleset(repository, scene, id),
        ["tags"] => Ok(refs::tags(repository, scene)),
        ["git", "ref", name @ ..] => refs::one(repository, scene, &name.join("/")),
        ["git", "matching-refs", name @ ..] => refs::matching(repository, scene, &name.join("/")),
        ["git", "tags", sha] => refs::tag_object(repository, scene, sha),
        ["commits"] => refs::commits(repository, scene),
        ["statuses", name @ ..] => checks::statuses(repository, scene, &name.join("/")),
        ["commits", sha, "branches-where-head"] => refs::branches_where_head(repository, scene, sha),
        ["commits", name @ .., "pulls"] => pulls::of_commit(repository, scene, &name.join("/")),
        ["commits", name @ .., "status"] => checks::combined(repository, scene, &name.join("/")),
        ["commits", name @ .., "statuses"] => checks::statuses(repository, scene, &name.join("/")),
        ["commits", name @ .., "check-runs"] => checks::runs(repository, scene, &name.join("/")),
        ["commits", name @ .., "check-suites"] => checks::suites(repository, scene, &name.join("/")),
        ["commits", first, name @ ..] => refs::commit(repository, scene, &[&[*first][..], name].concat().join("/")),
        ["compare", range @ ..] => compare::compare(repository, scene, &range.join("/")),
        ["pulls"] => Ok(pulls::list(repository, scene)),
        ["pulls", number] => pulls::one(repository, scene, number),
        ["deployments"] => Ok(deployments::list(repository, scene)),
        ["deployments", id] => deployments::one(repository, scene, id),
        ["deployments", id, "statuses"] => deployment_statuses::list(repository, scene, id),
        ["deployments", id, "statuses", status] => deployment_statuses::one(repository, scene, id, status),
        ["tarball", name @ ..] => archive::redirect(repository, scene, hands, &name.join("/")),
        _ => Err(Answer::unknown(&scene.asked.path)),
    }
}

fn single_sign_on(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let owner = &repository.owner;
    let message = "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.";
    let url = format!("{}/orgs/{owner}/sso?authorization_request=A0B1C2D3", scene.web);
    Answer::error_at(403, message, "/articles/authenticating-to-a-github-organization-with-saml-single-sign-on/")
        .with("x-github-sso", format!("required; url={url}"))
}

fn walled(repository: &Repository) -> Answer {
    let message =
        format!("The `{}` organization has enabled OAuth App access restrictions: third parties have limited access.", repository.owner);
    Answer::error_at(403, &message, "/articles/restricting-access-to-your-organization-s-data/")
}
