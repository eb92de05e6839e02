//! Which test keeps which promise of PRIVACY.md. A promise without a test, or a test that is gone, fails here.

use std::fs;
use std::path::Path;

/// A sentence of the page, or the part of it that promises, and the tests that fail where it is broken.
const PROMISES: &[(&str, &[&str])] = &[
    (
        "A text that we did not understand is answered at once and not kept.",
        &["what_was_not_understood_is_answered_privately_without_the_code_and_not_kept"],
    ),
    ("given to Heroku at once, and never stored, logged or shown", &["no_secret_leaves_its_place"]),
    ("sent to GitHub and Heroku only", &["no_secret_leaves_its_place"]),
    ("They are sealed before they are stored", &["opens_for_the_record_it_was_sealed_for_and_no_other"]),
    (
        "no e-mail address, and keep none of the name that the chat sends along",
        &["every_field_of_every_record_is_declared_and_nothing_else_is"],
    ),
    ("Nothing of your device: no network address, no browser", &["every_field_of_every_record_is_declared_and_nothing_else_is"]),
    (
        "believed for five minutes, kept in memory only, and gone when the process ends",
        &["what_the_chat_says_of_people_is_believed_for_five_minutes", "every_field_of_every_record_is_declared_and_nothing_else_is"],
    ),
    ("The privacy page sets none.", &["the_present_text_and_the_old_ones_are_served"]),
    ("Where the chat takes no message for whoever asked", &["scenarios"]),
    (
        "so one is kept for 23 to 24 months",
        &[
            "nothing_is_kept_longer_than_24_months",
            "thirty_months_pass_and_nothing_older_than_24_of_them_is_kept",
            "what_is_too_old_goes_also_out_of_the_history",
        ],
    ),
    (
        "A number stands for five people or more",
        &["no_number_leads_back_to_few", "small_groups_are_put_together_and_few_people_leave_nothing"],
    ),
    (
        "goes on after a crash where it was",
        &["thirty_months_pass_and_nothing_older_than_24_of_them_is_kept", "whatever_cuts_a_removal_off_it_goes_on_and_loses_nothing"],
    ),
    ("No page asks another site for anything", &["the_present_text_and_the_old_ones_are_served"]),
    ("`privacy` shows how much of each kind is kept about you", &["every_kind_that_is_kept_is_said_in_words", "scenarios"]),
    (
        "It works once, for 15 minutes, and leads to everything as JSON",
        &["a_link_to_everything_works_once_and_not_for_long", "a_link_is_looked_at_as_often_as_you_like_and_used_once"],
    ),
    ("what you have waiting in a line is stopped, and what runs goes on to its true end", &["scenarios"]),
    (
        "Deployments stay, without you",
        &["nothing_of_the_person_is_left_and_the_rest_is_as_it_was", "a_removed_person_is_in_no_file_after_it_was_written_anew"],
    ),
    ("You are told when it is done.", &["a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told"]),
    ("You need no login for any of this.", &["scenarios"]),
    ("is recorded, with who, when and why", &["an_operator_answers_a_letter_and_that_is_on_record"]),
    (
        "the files of the store are written anew, within 7 days",
        &[
            "a_removed_person_is_in_no_file_after_it_was_written_anew",
            "a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told",
        ],
    ),
    ("That you looked is not kept", &["every_field_of_every_record_is_declared_and_nothing_else_is", "scenarios"]),
    ("the page is emptied when you are removed", &["a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told"]),
    ("Backups live for 30 days", &["a_restore_removes_again_whoever_was_removed_since"]),
    ("Who was removed is remembered for 35 days as a digest", &["a_removal_is_known_again_and_names_nobody"]),
    (
        "Requests from Slack are taken only with its signature, at most five minutes old",
        &["every_vector_is_accepted_and_refused_when_altered"],
    ),
    (
        "Each person who knew the one before is told once, privately, with their next command",
        &["whoever_knew_the_page_before_is_told_once_what_changed"],
    ),
    ("All versions are below `/privacy`", &["the_present_text_and_the_old_ones_are_served"]),
];

fn all_source(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_source(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_promise_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page: String = fs::read_to_string(root.join("PRIVACY.md")).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut source = String::new();
    ["src", "tests"].iter().for_each(|folder| all_source(&root.join(folder), &mut source));
    for (promise, tests) in PROMISES {
        assert!(page.contains(promise), "the page does not say: {promise}");
        for test in *tests {
            assert!(
                source.contains(&format!("fn {test}(")) || source.contains(&format!("mod {test};")),
                "{promise}: there is no test {test}"
            );
        }
    }
}
