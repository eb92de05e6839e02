//! Tests of forms.

use super::*;
use crate::domain::command::{Command, Wish};
use crate::domain::names::{PipelineName, RefName, RepoName};
use crate::domain::pipeline::{Environment, Place};
use crate::domain::source::AskedRef;

fn an_id() -> DeploymentId {
    DeploymentId(uuid::Uuid::from_u128(7))
}

fn code() -> Topic {
    Topic::Code(an_id())
}

fn hubot() -> PipelineKey {
    PipelineKey::Name(PipelineName::parse("hubot").unwrap())
}

#[test]
fn a_topic_survives_the_way_through_a_chat() {
    let of = RepoName::parse("acme/hubot").unwrap();
    let drafts = [
        Draft::default(),
        Draft { what: Some(AskedRef::Pull(12)), of: Some(of.clone()), found: None },
        Draft { what: Some(AskedRef::Named(RefName::parse("feature/x").unwrap())), of: None, found: None },
        Draft { what: None, of: Some(of), found: None },
    ];
    let of_draft = |draft: Draft| [Topic::Ship(draft.clone()), Topic::ShipFrom { pipeline: hubot(), draft }];
    for topic in
        drafts.into_iter().flat_map(of_draft).chain([code(), Topic::Why(Reasoned::Free(an_id())), Topic::Why(Reasoned::Stop(an_id()))])
    {
        assert_eq!(topic.to_string().parse(), Ok(topic));
    }
    for foreign in ["", "code", "code:1", "codes:00000000-0000-0000-0000-000000000007", "ship:", "ship:~", "ship:x ~", "ship-from:hubot"] {
        assert_eq!(foreign.parse::<Topic>(), Err(ForeignForm), "{foreign}");
    }
}

#[test]
fn a_code_is_read_and_anything_else_is_objected_to() {
    let read = |text: Option<&str>| code().filled(|_| text);
    for text in ["123456", " 123 456\n", "12\u{200b}3456", "12345678"] {
        let Ok(Sent::Asks(filled)) = read(Some(text)) else { panic!("{text:?}") };
        assert_eq!((filled.ask, filled.code.is_some_and(|code| code.starts_with("123456"))), (Ask::Form(code()), true), "{text:?}");
    }
    for text in [None, Some(""), Some("12345"), Some("123456789"), Some("deploy web 123456"), Some("soon")] {
        let objections = read(text).err().unwrap_or_default();
        assert_eq!(objections.iter().map(|one| one.field).collect::<Vec<_>>(), [FieldName::Code], "{text:?}");
    }
}

/// What a form about hubot comes to with these in its fields: reference, place, reason, code.
fn shipped(fields: [&str; 4]) -> Result<Sent, Vec<Objection>> {
    shipped_with(fields, None, None)
}

/// The same, with this chosen about checks and about one's turn.
fn shipped_with(fields: [&str; 4], checks: Option<&str>, turn: Option<&str>) -> Result<Sent, Vec<Objection>> {
    let [asked, place, because, code] = fields;
    Topic::ShipFrom { pipeline: hubot(), draft: Draft::default() }.filled(|field| match field {
        FieldName::Ref => Some(asked),
        FieldName::Place => Some(place),
        FieldName::Checks => checks,
        FieldName::Turn => turn,
        FieldName::Because => Some(because),
        FieldName::Code => Some(code),
        FieldName::Pipeline => None,
    })
}

#[test]
fn a_form_asks_for_what_would_be_typed() {
    let deploy = |what, to| Wish { pipeline: hubot(), what, to };
    let staging = Place { environment: Environment::Staging, app: None };
    let topic = AskedRef::Named(RefName::parse("topic").unwrap());
    for (fields, wish, why, with_code) in [
        (["", "", "", ""], deploy(AskedRef::Default, None), None, false),
        (["topic", "staging", "it is late", "123 456"], deploy(topic, Some(staging.clone())), Some("it is late"), true),
        (["#12", " stg ", "", ""], deploy(AskedRef::Pull(12), Some(staging)), None, false),
    ] {
        let Ok(Sent::Asks(Filled { ask: Ask::Filled(Command::Deploy { wish: found, passing_checks: false, because, terms: _ }), code })) =
            shipped(fields)
        else {
            panic!("{fields:?}")
        };
        assert_eq!((found, because.as_ref().map(|one| one.as_str()), code.is_some()), (wish, why, with_code), "{fields:?}");
    }
}

#[test]
fn checks_are_heeded_waited_for_or_passed_with_a_reason() {
    let chosen = |checks, because: &str| match shipped_with(["", "", because, ""], checks, None) {
        Ok(Sent::Asks(Filled { ask: Ask::Filled(Command::Deploy { passing_checks, terms, .. }), .. })) => {
            Ok((passing_checks, terms.when_green))
        }
        Err(wrong) => Err(wrong.into_iter().map(|one| one.field).collect::<Vec<_>>()),
        other => panic!("{other:?}"),
    };
    for heeded in [None, Some("heed")] {
        assert_eq!(chosen(heeded, ""), Ok((false, false)));
    }
    assert_eq!(chosen(Some("wait"), ""), Ok((false, true)));
    assert_eq!(chosen(Some("pass"), "the flaky test is known"), Ok((true, false)));
    assert_eq!(chosen(Some("pass"), ""), Err(vec![FieldName::Because]));
    assert_eq!(chosen(Some("pass"), "..."), Err(vec![FieldName::Because]), "said once");
    assert_eq!(chosen(Some("maybe"), ""), Err(vec![FieldName::Checks]));
}

#[test]
fn whoever_is_not_the_first_ships_at_once_or_is_asked() {
    let chosen = |turn| match shipped_with(["", "", "", ""], None, turn) {
        Ok(Sent::Asks(Filled { ask: Ask::Filled(Command::Deploy { terms, .. }), .. })) => Ok(terms.ask_first),
        Err(wrong) => Err(wrong.into_iter().map(|one| one.field).collect::<Vec<_>>()),
        other => panic!("{other:?}"),
    };
    assert_eq!((chosen(None), chosen(Some("ship")), chosen(Some("ask"))), (Ok(false), Ok(false), Ok(true)));
    assert_eq!(chosen(Some("perhaps")), Err(vec![FieldName::Turn]));
}

#[test]
fn everything_that_is_wrong_is_said_at_its_field_and_no_code_is_taken_for_a_word() {
    let fields = |wrong: Result<Sent, Vec<Objection>>| wrong.unwrap_err().into_iter().map(|one| one.field).collect::<Vec<_>>();
    let all = [FieldName::Ref, FieldName::Place, FieldName::Because, FieldName::Code];
    assert_eq!(fields(shipped(["main to production", "moon", "...", "soon"])), all);
    assert_eq!(fields(shipped(["a..b", "", "", ""])), [FieldName::Ref]);
    assert_eq!(fields(shipped(["123456", "", "known 123456", ""])), [FieldName::Ref, FieldName::Because]);
    assert_eq!(fields(Topic::Ship(Draft::default()).filled(|_| Some("two words"))), [FieldName::Pipeline]);
    let chosen = Topic::Ship(Draft::default()).filled(|_| Some("hubot"));
    assert!(matches!(chosen, Ok(Sent::GoesOn { pipeline, .. }) if pipeline == hubot()));
}

#[test]
fn what_begins_with_the_typed_is_offered_first_and_what_was_typed_last() {
    let all = |names: &[&str]| names.iter().copied().map(Suggestion::plain).collect::<Vec<_>>();
    let found = |field, typed: &str, names: &[&str]| offered(field, typed, all(names)).into_iter().map(|one| one.value).collect::<Vec<_>>();
    let branches = ["fix-topic", "main", "Topic"];
    assert_eq!(found(FieldName::Ref, "topic", &branches), ["Topic", "fix-topic", "topic"]);
    assert_eq!(found(FieldName::Ref, "main", &branches), ["main"]);
    assert_eq!(found(FieldName::Ref, "", &branches), branches);
    assert_eq!(found(FieldName::Ref, "two words", &branches), [""; 0]);
    assert_eq!(found(FieldName::Ref, "123456", &branches), [""; 0], "a code is not handed round");
    assert_eq!(found(FieldName::Pipeline, "hub", &["hubot"]), ["hubot"]);
    assert_eq!(found(FieldName::Pipeline, "hub", &[]), ["hub"]);
    let many: Vec<String> = (0..300).map(|n| format!("branch-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(found(FieldName::Ref, "branch", &many).len(), 100);
}

#[test]
fn whoever_frees_or_stops_what_is_not_theirs_says_why_and_gives_no_code_for_a_reason() {
    for what in [Reasoned::Free(an_id()), Reasoned::Stop(an_id())] {
        let Ok(Sent::Asks(filled)) = Topic::Why(what).filled(|_| Some(" its page says so ")) else { panic!("{what:?}") };
        let because = Because::parse("its page says so").unwrap();
        assert_eq!((filled.ask, filled.code), (Ask::Reasoned { what, because }, None));
        for wrong in [None, Some(""), Some(" … "), Some("known 123456"), Some("two\nlines")] {
            let objections = Topic::Why(what).filled(|_| wrong).unwrap_err();
            assert_eq!(objections.iter().map(|one| one.field).collect::<Vec<_>>(), [FieldName::Because], "{wrong:?}");
            assert!(!format!("{objections:?}").contains("123456"));
        }
    }
}
