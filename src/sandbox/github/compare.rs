//! How two commits stand to each other.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, linked, page};
use super::refs::file;
use super::shapes_code::{self, api_of, page_of};
use super::world::{Commit, Repository};

/// The most commits that are listed without paging.
const MOST: usize = 250;

/// `GET …/compare/{base}...{head}`.
pub(super) fn compare(repository: &Repository, scene: &Scene<'_>, range: &str) -> Result<Answer, Answer> {
    let absent = || Answer::error_at(404, "Not Found", "/commits/commits#compare-two-commits");
    let (base, head) = range.split_once("...").ok_or_else(absent)?;
    let base = repository.resolve(own(base)).ok_or_else(absent)?;
    let head = repository.resolve(own(head)).ok_or_else(absent)?;
    let standing = repository.standing(&base, &head).ok_or_else(absent)?;
    let commits: Vec<&Commit> = standing.ahead.iter().filter_map(|place| repository.commits.get(*place)).collect();
    let total = commits.len();
    let paged = scene.asked.parameter("page").is_some() || scene.asked.parameter("per_page").is_some();
    let (shown, link) = if paged {
        page(&commits, scene, repository.id)
    } else {
        // The newest ones: the last that is listed is the newest of all.
        (commits.get(total.saturating_sub(MOST)..).unwrap_or_default(), None)
    };
    let status = match (total, standing.behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        (_, _) => "diverged",
    };
    let whole = |commit: Option<&Commit>| commit.map(|commit| shapes_code::commit(repository, scene, commit));
    let html = format!("{}/compare/{range}", page_of(repository, scene));
    let mut body = json!({
        "url": format!("{}/compare/{range}", api_of(repository, scene)), "html_url": html,
        "permalink_url": format!("{}/compare/{base}...{head}", page_of(repository, scene)), "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"), "base_commit": whole(repository.commit(&base)),
        "merge_base_commit": whole(repository.commits.get(standing.merge_base)), "status": status, "ahead_by": total,
        "behind_by": standing.behind, "total_commits": total,
        "commits": shown.iter().map(|commit| shapes_code::commit(repository, scene, commit)).collect::<Vec<_>>(),
    });
    if let (Value::Object(body), true) = (&mut body, scene.asked.number("page", 1) == 1) {
        let files: Vec<Value> = (total > 0).then(|| file(repository, scene, &head)).into_iter().collect();
        body.insert("files".to_owned(), Value::Array(files));
    }
    Ok(linked(Answer::ok(&body), link))
}

/// The ref without the owner that may stand before it.
fn own(text: &str) -> &str {
    text.rsplit_once(':').map_or(text, |(_, name)| name)
}
