//! What we say of several apps that something is promoted to at once.

use crate::domain::deployment::{Deployment, Phase};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, strong, text};
use crate::domain::names::{AppName, OfferId};
use crate::domain::pipeline::{App, Environment};

use super::card::{commit, how_it_ended};
use super::words::count;

/// The words on the button that takes all of them.
pub fn all_apps(apps: usize) -> String {
    format!("All {apps} apps")
}

/// How all of them ended: the whole has failed where one has.
pub fn ended_together(deployment: &Deployment, all: &[Deployment]) -> Message {
    let out = all.iter().filter(|one| matches!(one.phase, Phase::Succeeded { .. })).count();
    let apps = count(u64::try_from(all.len()).unwrap_or(u64::MAX), "app");
    let mut headline = vec![text("Your promotion of ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline
        .extend(deployment.promotes().map(|from| text(format!(", v{} of {} ({}),", from.version, from.from_environment, from.from_name))));
    headline.push(text(format!(" to {apps} of {} ", deployment.target.environment)));
    let tone = if out == all.len() {
        headline.push(text("is out"));
        Tone::Good
    } else {
        headline.push(text(format!("is out in {out} of them only")));
        worst(all)
    };
    let mut message = Message::new(tone, Audience::Asker, headline);
    message.lines = all.iter().map(line).collect();
    message
}

fn worst(all: &[Deployment]) -> Tone {
    let failed = all.iter().any(|one| matches!(one.phase, Phase::Failed { .. }));
    if failed { Tone::Bad } else { Tone::Attention }
}

fn line(deployment: &Deployment) -> Line {
    [vec![strong(deployment.target.app_name.as_str())], how_it_ended(deployment, &deployment.origin.person)].concat()
}

/// None of them was promoted, since the gate is closed before some. `others`: where it is open.
pub fn not_together(
    from: &App,
    environment: Environment,
    refused: Vec<Message>,
    others: &[AppName],
    buttons: &[(String, OfferId)],
) -> Message {
    let headline = vec![
        text("Nothing was promoted: what "),
        code(&from.name),
        text(format!(" runs may not go to every app of {environment}. (not-to-every-app)")),
    ];
    let mut message = Message::new(Tone::Bad, Audience::Asker, headline);
    for one in refused {
        message.lines.push(one.headline);
        message.lines.extend(one.lines);
    }
    if !others.is_empty() {
        let names = others.iter().enumerate().flat_map(|(at, name)| [(at > 0).then(|| text(", ")), Some(code(name))]).flatten();
        message.lines.push(std::iter::once::<Span>(text("It may go to ")).chain(names).chain([text(".")]).collect());
    }
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Plain);
    }
    message
}
