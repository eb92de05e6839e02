//! Which test keeps which promise of PRIVACY.md: every sentence of the page stands here, in its order, with what fails where it is broken. A
//! sentence that is new, a test that is gone or was never one, and a line that no conversation says any more fail here.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use slash_heroku::domain::privacy::TEXTS;

/// What keeps a promise.
enum Proof {
    /// A test of this name.
    Test(&'static str),
    /// A conversation in which this is said.
    Line(&'static str, &'static str),
}

use Proof::{Line, Test};

/// It says what something is, what others do, or where to look, and promises nothing that this program could break.
const SAYS: &[Proof] = &[];

const FIELDS: Proof = Test("every_field_of_every_record_is_declared_and_nothing_else_is");
const SEARCHED: Proof = Test("no_secret_leaves_its_place");
const EXACTLY_ASKED: Proof = Test("the_adapter_keeps_its_side");

/// How each sentence begins, and what keeps it.
const SENTENCES: &[(&str, &[Proof])] = &[
    ("Version ", &[Test("each_text_says_its_version_and_date")]),
    ("The texts before it, and what changed", &[Test("the_present_text_and_the_old_ones_are_served")]),
    ("This page says what an installation", SAYS),
    ("What it says is what the program does", &[Test("every_sentence_has_what_keeps_it")]),
    ("Somebody runs the installation", SAYS),
    ("They decide where it stands", SAYS),
    (
        "Who that is, and in which place",
        &[
            Test("the_present_text_and_the_old_ones_are_served"),
            Line("99-what-is-kept-about-me", "To ask whoever runs this: `privacy@example.com`"),
        ],
    ),
    ("**Commands, buttons and forms.**", &[FIELDS]),
    ("We keep the command as we understood it.", &[FIELDS]),
    ("A text that we did not understand", &[Test("what_was_not_understood_is_answered_privately_without_the_code_and_not_kept")]),
    ("**One-time codes.**", &[SEARCHED]),
    ("**Tokens.**", &[Test("github_keeps_the_promises_of_signing_in"), Test("heroku_keeps_the_promises_of_signing_in")]),
    (
        "They are sealed before they are stored",
        &[Test("it_keeps_the_promises_of_a_vault"), SEARCHED, Test("whoever_unlinks_ends_it_at_the_services_too")],
    ),
    (
        "So does linking a login",
        &[
            Test("what_has_to_be_ended_is_ended_also_when_the_service_is_killed_on_the_way"),
            Test("what_cannot_be_ended_is_told_and_tried_again_for_a_day"),
            Line("280-linked-again", "= authorizations of bob: 0"),
        ],
    ),
    ("Where an installation works for one person", &[SEARCHED]),
    ("**Secrets where none belongs.**", &[Test("whoever_types_a_secret_is_told_its_kind_and_whoever_types_none_is_left_alone")]),
    ("Where it looks as if one was there", &[SEARCHED, Line("283-a-secret-where-none-belongs", "= never said: 5ec4e75041")]),
    ("**Reasons.**", &[Line("99-what-is-kept-about-me", "Because: it is time")]),
    ("**Locks.**", &[Line("160-a-lock-keeps-others-out", "@ana holds staging of `hubot` since")]),
    ("**Muted notices.**", &[Line("230-no-news-for-a-while", "Your notices are muted until"), FIELDS]),
    ("**Rides.**", &[Line("223-two-ride-one-deploy", "to staging (hubot-staging) with @bob"), FIELDS]),
    ("**Routes.**", &[Line("232-notices-go-where-a-team-wants-them", "how deploys end (set by @ana")]),
    ("We ask for no name and no e-mail address", &[FIELDS]),
    ("Where a deploy says whose commits it ships", &[FIELDS]),
    ("Nothing of your device", &[FIELDS]),
    ("No location, ever.", &[FIELDS]),
    ("No messages of your channels.", &[Test("what_is_asked_for_is_what_is_used"), FIELDS]),
    ("Logs carry ids and outcomes", &[SEARCHED]),
    ("While a build or a release phase runs", &[FIELDS]),
    ("Nothing of that is kept; the last lines", &[FIELDS, Line("09-a-build-fails", "(only you) (to @ana) The last lines of the deploy")]),
    (
        "What you are in your workspace",
        &[
            Test("what_the_chat_says_of_people_is_believed_for_five_minutes"),
            Test("who_reads_along_is_believed_for_five_minutes_and_that_nobody_knows_for_one"),
            FIELDS,
        ],
    ),
    ("The name and the address that Slack sends along", &[FIELDS]),
    (
        "How much GitHub and Heroku still allow",
        &[
            Test("what_one_has_read_is_never_given_to_another"),
            Test("what_was_read_with_a_token_is_forgotten_with_it"),
            Test("what_was_read_with_a_token_is_forgotten_and_what_others_have_read_stays"),
            Test("nothing_is_known_of_a_credential_that_is_forgotten_nor_what_is_heard_of_it_late"),
        ],
    ),
    ("The privacy page sets none.", &[Test("the_present_text_and_the_old_ones_are_served")]),
    ("While you link your logins, a cookie", &[Test("each_step_is_one_form")]),
    ("It lasts twenty minutes", &[Test("each_step_is_one_form")]),
    ("While you install the app, another one", &[Test("only_the_browser_that_set_out_comes_back_and_once")]),
    ("Browsers send both along", &[Test("each_step_is_one_form"), Test("only_the_browser_that_set_out_comes_back_and_once")]),
    (
        "No page asks another site for anything",
        &[Test("the_present_text_and_the_old_ones_are_served"), Test("looking_changes_nothing_and_every_answer_keeps_to_itself")],
    ),
    ("In this table the chat is Slack", SAYS),
    ("Each of these is made of the following", &[Test("the_privacy_page_names_every_field_of_every_record"), FIELDS]),
    ("In brackets: whom it tells something about.", SAYS),
    ("The address for the answer lets its holder", &[Test("opens_where_it_was_sealed_for_and_nowhere_else"), SEARCHED]),
    ("Where the chat takes no message", &[Line("69-nobody-can-be-told", "The chat took no message for you then.")]),
    ("The table says it for each kind.", &[Test("the_privacy_page_names_every_kind_of_record")]),
    ("Deployments are what shows that you use", SAYS),
    (
        "They go by whole months",
        &[
            Test("nothing_is_kept_longer_than_24_months"),
            Test("thirty_months_pass_and_nothing_older_than_24_of_them_is_kept"),
            Test("what_is_too_old_goes_also_out_of_the_history"),
        ],
    ),
    ("What stays of a month then", &[Test("thirty_months_pass_and_nothing_older_than_24_of_them_is_kept")]),
    (
        "A number stands for five people or more",
        &[Test("no_number_leads_back_to_few"), Test("small_groups_are_put_together_and_few_people_leave_nothing")],
    ),
    ("Linked logins of whoever has asked for nothing", &[Test("logins_of_whoever_is_not_here_any_more_are_unlinked")]),
    (
        "This runs by itself, every hour",
        &[
            Test("thirty_months_pass_and_nothing_older_than_24_of_them_is_kept"),
            Test("whatever_cuts_a_removal_off_it_goes_on_and_loses_nothing"),
        ],
    ),
    ("**GitHub** gets", &[EXACTLY_ASKED]),
    ("No chat name, no channel.", &[EXACTLY_ASKED]),
    ("**Heroku** gets", &[EXACTLY_ASKED]),
    (
        "**Slack** gets",
        &[Test("what_is_asked_for_is_what_is_used"), Line("232-notices-go-where-a-team-wants-them", "how deploys end (set by @ana")],
    ),
    ("When you open your page", &[Line("256-a-page-of-ones-own", "(page) Your places in lines")]),
    ("That you looked is not kept", &[FIELDS, Test("a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told")]),
    (
        "**People of other companies**",
        &[
            Line("150-others-read-along", "The card of your deploy stands in your direct messages with me, and not here."),
            Line("150-others-read-along", "Only you see this: tell others of it."),
            Test("what_is_said_for_all_is_said_aside_where_others_read_along_or_may"),
        ],
    ),
    (
        "When a conversation comes to be shared",
        &[
            Line("151-others-come-to-read", "This is told elsewhere from now on"),
            Test("who_reads_along_is_believed_for_five_minutes_and_that_nobody_knows_for_one"),
        ],
    ),
    (
        "Guests of your workspace see what is said",
        &[Line("141-guests-and-other-companies", "Guests of this workspace may not see or do anything here (guest)")],
    ),
    ("Nobody else gets anything.", &[EXACTLY_ASKED, Test("every_file_keeps_to_its_ring")]),
    ("Nothing is sold", &[EXACTLY_ASKED]),
    ("Those three keep what they get", SAYS),
    ("**See it.**", &[Test("every_kind_that_is_kept_is_said_in_words"), Line("99-what-is-kept-about-me", "This is kept about you:")]),
    ("**Take it.**", &[Line("99-what-is-kept-about-me", "Everything that is kept about you is behind this link")]),
    (
        "It works once, for 15 minutes",
        &[Test("links_keep_the_promises_of_exports"), Test("a_link_is_looked_at_as_often_as_you_like_and_used_once")],
    ),
    ("Left out are sealed tokens and addresses", &[Test("what_is_sealed_or_a_digest_is_in_no_export")]),
    ("Leases are left out as well", &[Test("every_field_of_a_lease_is_declared")]),
    ("Where an installation has no public address", &[Line("152-no-link-without-an-address", "They type, on its machine")]),
    ("**Remove it.**", &[Line("99-what-is-kept-about-me", "Sure? Press the button, or type")]),
    (
        "Then what you have waiting in a line is stopped",
        &[
            Line("99-what-is-kept-about-me", "You are removed as soon as what you have running has ended (1 deploy)"),
            Line("156-removed-and-never-over", "You were removed: nothing that is kept here leads to you any more."),
            Test("a_leaving_is_held_up_by_what_can_be_followed_and_not_for_ever"),
            Test("what_nobody_stands_behind_keeps_its_app_while_it_may_run_and_no_longer"),
        ],
    ),
    (
        "After that your requests, offers",
        &[
            Test("a_removed_person_is_in_no_file_after_it_was_written_anew"),
            Test("whoever_is_removed_is_forgotten_in_memory_too"),
            Line("122-removed-with-their-logins", "= authorizations of ana: 0"),
        ],
    ),
    (
        "Deployments stay, without you",
        &[
            Test("nothing_of_the_person_is_left_and_the_rest_is_as_it_was"),
            Test("a_removed_person_is_in_no_file_after_it_was_written_anew"),
        ],
    ),
    (
        "Nothing that others have asked for",
        &[
            Test("nothing_that_is_kept_names_whoever_was_removed"),
            Line("159-removed-from-what-others-were-offered", "(only you) From now on nobody may deploy to production."),
            Line("157-removed-while-riding-along", "(to @bob) You were removed"),
        ],
    ),
    ("You are told when it is done.", &[Test("a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told")]),
    ("You need no login for any of this.", &[Line("99-what-is-kept-about-me", "(only you) This is kept about you:")]),
    ("**Opt out.**", SAYS),
    ("About people who never did", &[FIELDS]),
    ("**Ask.**", &[Test("an_operator_answers_a_letter_and_that_is_on_record")]),
    ("What they look at, take or remove", &[Test("an_operator_answers_a_letter_and_that_is_on_record")]),
    ("So is that they take a backup", &[Test("a_backup_is_a_store_to_go_on_with")]),
    (
        "After a removal, and after deployments have gone",
        &[
            Test("a_removed_person_is_in_no_file_after_it_was_written_anew"),
            Test("a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told"),
        ],
    ),
    ("What a disk keeps of files", SAYS),
    ("Backups live for 30 days", &[Test("a_restore_removes_again_whoever_was_removed_since")]),
    (
        "Who was removed, and from which workspace",
        &[
            Test("a_removal_is_known_again_and_names_nobody"),
            Test("what_has_left_is_known_again_and_is_not_named"),
            Test("a_restore_leaves_out_whoever_has_left_since"),
        ],
    ),
    ("Deleting the store's folder", SAYS),
    ("Requests from Slack are taken only", &[Test("every_vector_is_accepted_and_refused_when_altered")]),
    ("The store's folder and the admin socket", &[Test("a_backup_of_a_running_store_restores_everything")]),
    ("A backup holds the same records", &[Test("a_backup_of_a_running_store_restores_everything")]),
    ("Linked tokens are sealed with keys", &[Test("what_was_linked_works_after_a_restart_and_the_files_hold_no_token")]),
    ("In every scenario of the tests", &[Test("every_conversation_goes_as_written"), Test("what_has_leaked_is_found_in_every_form")]),
    ("Output of builds and error texts", &[Test("what_is_told_by_its_shape"), Test("what_is_told_by_the_words_around_it")]),
    ("When the app is removed from a workspace", &[Test("what_has_left_is_removed_at_once_and_what_runs_when_it_is_over")]),
    (
        "Whatever is kept of that workspace is removed then",
        &[
            Test("what_has_left_is_removed_at_once_and_what_runs_when_it_is_over"),
            Test("people_are_forgotten_as_promised"),
            Test("nothing_is_remembered_of_conversations_in_a_workspace_that_has_left"),
        ],
    ),
    ("What operators did with records of its people", &[Test("nobody_of_a_workspace_that_left_is_named_by_what_operators_did")]),
    ("What waits in a line is stopped.", &[Test("what_waits_is_stopped_and_what_is_new_has_nothing_to_do_with_what_was_before")]),
    (
        "A deploy that runs goes on",
        &[
            Test("what_has_left_is_removed_at_once_and_what_runs_when_it_is_over"),
            Test("what_is_never_over_holds_up_no_removal"),
            Line("155-removed-and-never-over", "= authorizations of ana: 0"),
        ],
    ),
    (
        "It keeps its app",
        &[Test("what_nobody_stands_behind_keeps_its_app_while_it_may_run_and_no_longer"), Test("what_is_never_over_holds_up_no_removal")],
    ),
    (
        "Once a day we ask the chat",
        &[
            Test("a_token_that_was_refused_is_waited_for_and_then_everything_goes"),
            Line("158-removed-without-a-word-to-anybody", "= authorizations of ana: 0"),
        ],
    ),
    (
        "Whoever installs the app again",
        &[
            Test("what_waits_is_stopped_and_what_is_new_has_nothing_to_do_with_what_was_before"),
            Line("153-whoever-comes-back-begins-anew", "Nothing has been deployed in `hubot` by this service yet"),
        ],
    ),
    ("People who revoke what they have given", &[Test("what_has_left_is_removed_at_once_and_what_runs_when_it_is_over")]),
    ("What you write to whoever runs the installation", SAYS),
    ("Typing a command gives us", SAYS),
    (
        "You can take that back",
        &[Line("99-what-is-kept-about-me", "(only you) You are removed as soon as what you have running has ended")],
    ),
    ("When what this page promises changes", &[Test("a_text_that_people_were_told_of_stays_as_it_is")]),
    (
        "Each person who knew the one before",
        &[
            Test("whoever_knew_the_page_before_is_told_once_what_changed"),
            Line("285-the-privacy-page-has-changed", "(only you) The privacy page"),
        ],
    ),
    ("All versions are below `/privacy`", &[Test("the_present_text_and_the_old_ones_are_served")]),
];

/// The sentences of the page, without its headings and what is generated.
fn sentences(page: &str) -> Vec<String> {
    let (mut paragraphs, mut generated) = (vec![String::new()], false);
    for line in page.lines() {
        if line.starts_with("<!--") {
            generated = !line.starts_with("<!-- /");
        } else if !generated {
            let item = line.strip_prefix("- ");
            if item.is_some() || line.is_empty() || line.starts_with('#') {
                paragraphs.push(String::new());
            }
            if !line.starts_with('#') {
                let paragraph = paragraphs.last_mut().unwrap();
                paragraph.push_str(item.unwrap_or(line));
                paragraph.push(' ');
            }
        }
    }
    let mut sentences = Vec::new();
    for paragraph in paragraphs {
        let (mut sentence, mut ended) = (String::new(), false);
        for word in paragraph.split_whitespace() {
            if ended && word.starts_with(|first: char| first.is_uppercase() || matches!(first, '`' | '*')) {
                sentences.push(std::mem::take(&mut sentence));
            }
            sentence.push_str(if sentence.is_empty() { "" } else { " " });
            sentence.push_str(word);
            ended = word.ends_with(['.', '!', '?']);
        }
        sentences.extend(Some(sentence).filter(|sentence| !sentence.is_empty()));
    }
    sentences
}

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

/// Whether there is a test of this name that runs.
fn is_test(source: &str, name: &str) -> bool {
    let wanted = format!("fn {name}(");
    let of_its_own = source.match_indices(&wanted).any(|(at, _)| {
        let before = source[..at].trim_end().trim_end_matches("async").trim_end();
        let attributes = &before[before.rfind("\n\n").unwrap_or(0)..];
        (attributes.contains("#[test]") || attributes.contains("#[tokio::test")) && !attributes.contains("#[ignore")
    });
    let block = |(at, _): (usize, &str)| source[at..].split("\n}").next().is_some_and(|block| block.contains(&wanted));
    // Or it is a part of a test, which runs it with others.
    of_its_own || source.contains(&format!("::{name}(),")) || source.match_indices("proptest! {").any(block)
}

#[test]
fn every_sentence_has_what_keeps_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("PRIVACY.md")).unwrap();
    let mut source = String::new();
    ["src", "tests"].iter().for_each(|folder| all_source(&root.join(folder), &mut source));
    let mut listed = SENTENCES.iter();
    for sentence in sentences(&page) {
        let next = listed.next();
        let (begins, proofs) = next.unwrap_or_else(|| panic!("nothing keeps the last of the page: {sentence}"));
        assert!(sentence.starts_with(begins), "the page goes on with:\n{sentence}\nand the list with:\n{begins}");
        for proof in *proofs {
            match proof {
                Test(name) => assert!(is_test(&source, name), "{begins}: there is no test {name}"),
                Line(file, words) => {
                    let script = fs::read_to_string(root.join(format!("fixtures/scenarios/{file}.chat"))).unwrap();
                    // Said or held by the service: what people type proves nothing.
                    let said = script.lines().any(|line| line.starts_with([' ', '=']) && line.contains(words));
                    assert!(said, "{begins}: {file} does not say: {words}");
                }
            }
        }
    }
    assert!(listed.next().is_none(), "the list says more than the page");
}

#[test]
fn a_page_falls_into_its_sentences() {
    let page = "# Title\n\nOne `a.b` here. Two\ngoes on.\n\n- **Three.** And four?\n- Five\n<!-- x -->\nnot this.\n<!-- /x -->\n";
    assert_eq!(sentences(page), ["One `a.b` here.", "Two goes on.", "**Three.** And four?", "Five"]);
    assert!(is_test("#[test]\nfn there() {}\n", "there") && !is_test("fn there() {}\n", "there"));
    assert!(!is_test("#[test]\n#[ignore = \"late\"]\nfn there() {}\n", "there"));
}

/// What the sentences of each version were when people were told of it, as a digest.
const TOLD: &[(u32, &str)] = &[
    (1, "add0bd87ba4218c6be16ec91ce22410cf0e4e141b14948d6f3b87bf2946ed8a8"),
    (2, "e6bda06c2abe4b81e7bed7961b6ef85a77fbde7856a48d12052f40db595744fb"),
    (3, "e274fe3b229fbd74b46115336899c84ed21f6a6ea2333757f1b30d67f870cc91"),
    (4, "fb9ec81bba495896f8c2238a9baf0628bec1711ab7a8800293a13e2e6aabe51c"),
    (5, "7bdb6f65744d0b5bca78b0329733636b9b49cf7cdc106ab27701adc43fb7d1c9"),
];

#[test]
fn a_text_that_people_were_told_of_stays_as_it_is() {
    let versions: Vec<u32> = TEXTS.iter().map(|text| text.version).collect();
    assert_eq!(versions, TOLD.iter().map(|(version, _)| *version).collect::<Vec<_>>(), "each version has a digest here");
    for (text, (version, told)) in TEXTS.iter().zip(TOLD) {
        let digest = Sha256::digest(sentences(text.words).join("\n"));
        let now: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            now, *told,
            "version {version} says something else than people were told. Where it promises something else, it is a new version \
             (CONTRIBUTING.md, \"Keeping something about people\"); where it says the same, this is its digest from now on"
        );
    }
}
