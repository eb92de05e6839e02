//! Requests whose answers go wrong or take long.

use super::seat::{CLUMSY, SLOW};
use super::stage::{Plot, Run, Setting, cancel, run};

const SETTING: Setting = Setting { seed: 1, processes: 2, bad_luck: 0, freezes: 0, broken: None, tells: true };

/// Requests, each to the next process, which are answered once: that is what is true at the end of every run without faults.
fn requests_of(users: &'static [&'static str]) -> Run {
    let run = run(SETTING, |stage| -> Plot<'_> {
        vec![Box::pin(async move {
            for (process, user) in users.iter().enumerate() {
                stage.ask(process, &format!("d{}", process + 1), user, cancel("hubot"), None).await;
            }
        })]
    });
    assert!(run.faults.is_empty(), "{}\n{}", run.story.join("\n"), run.faults.join("\n"));
    run
}

fn told(run: &Run, words: &str) -> usize {
    run.story.iter().filter(|line| line.contains(words)).count()
}

#[test]
fn who_asks_for_what_makes_us_panic_is_told_so_at_once() {
    let run = requests_of(&[CLUMSY]);
    assert_eq!(told(&run, "(went-wrong)"), 1, "{}", run.story.join("\n"));
    assert!(run.story.iter().all(|line| line.trim_start().starts_with("0 s")), "{}", run.story.join("\n"));
}

#[test]
fn an_answer_that_takes_long_stays_the_work_of_one() {
    let run = requests_of(&[SLOW, "ana"]);
    assert!(told(&run, "renews Request(DeliveryId(\"d1\"))") >= 5, "{}", run.story.join("\n"));
    // The other process sees that it lies there, and that somebody is at it.
    assert!(told(&run, "process 2: claims Request(DeliveryId(\"d1\"))") >= 2, "{}", run.story.join("\n"));
    assert_eq!(told(&run, "reads the pipelines"), 2, "{}", run.story.join("\n"));
}
