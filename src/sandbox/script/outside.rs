//! Making the directives of a script come true at GitHub and Heroku.

use jiff::Timestamp;

use crate::sandbox::company::{APPS, CI_APP, GITHUB_TOKEN, HEROKU_TOKEN};
use crate::sandbox::fault::{FaultRule, Strikes};
use crate::sandbox::github::{self, Permission, Protection, RepoSeed};
use crate::sandbox::heroku::{AppRight, Held, StreamStyle};
use crate::sandbox::script::checks::Tally;
use crate::sandbox::script::directives::{Directive, Right, Stage, Streaming, Vendor};
use crate::sandbox::script::player::Outside;
use crate::sandbox::world::World;

impl Outside for World {
    fn perform(&mut self, directive: &Directive) -> Result<(), String> {
        let (github, heroku) = (&self.github, &self.heroku);
        match directive {
            Directive::Status { repo, branch, check, state } => github.set_status(repo, branch, check, state),
            Directive::CheckRun { repo, branch, name, conclusion } => {
                let status = if conclusion.is_some() { "completed" } else { "in_progress" };
                github.add_check_run(repo, branch, name, status, *conclusion, CI_APP)
            }
            Directive::Requires { repo, branch, checks, ruleset } => {
                let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
                github.require(repo, branch, &checks, if *ruleset { Protection::Ruleset } else { Protection::Classic })
            }
            Directive::Push { repo, branch, by, message } => github.push(repo, branch, message, by).map(drop),
            Directive::DeleteBranch { repo, branch } => github.delete_branch(repo, branch),
            Directive::Tag { repo, tag, at } => github.tag(repo, tag, at, true).map(drop),
            Directive::Point { repo, branch, at } => github.point(repo, branch, at).map(drop),
            Directive::NewRepository { repo } => {
                github.add_repository(RepoSeed { name: repo, private: true, default_branch: "main" })?;
                github.grant("ana", repo, Permission::Admin)
            }
            Directive::Size { repo, mib } => github.archive_size(repo, u64::from(*mib) << 20),
            Directive::OpenPull { repo, number, branch, fork } => github.open_pull(repo, *number, branch, *fork).map(drop),
            Directive::SingleSignOn { repo, is } => github.require_saml(repo, *is),
            Directive::ShutsOutApps { repo, is } => github.shut_out_apps(repo, *is),
            Directive::ArchiveRepository { repo } => github.archive_repository(repo),
            Directive::RenameRepository { repo, to } => github.rename_repository(repo, to),
            Directive::DefaultBranch { repo, branch } => github.make_default(repo, branch),
            Directive::RepoRight { person, repo, right } => match right {
                Right::Nothing => github.withdraw(person, repo),
                Right::See => github.grant(person, repo, Permission::Read),
                Right::Change => github.grant(person, repo, Permission::Write),
                Right::Rule => github.grant(person, repo, Permission::Admin),
            },
            Directive::AppRight { person, app, right } => {
                let email = format!("{person}@example.com");
                match right {
                    Right::Nothing => heroku.withdraw(&email, app),
                    Right::See => heroku.grant(&email, app, AppRight::View),
                    Right::Change | Right::Rule => heroku.grant(&email, app, AppRight::Deploy),
                }
            }
            Directive::NoToken(Vendor::Github) => github.revoke_token(GITHUB_TOKEN),
            Directive::NoToken(Vendor::Heroku) => heroku.revoke_token(HEROKU_TOKEN).then_some(()).ok_or("ana has no token".to_owned()),
            Directive::Token(Vendor::Github) => {
                github.add_user(GITHUB_TOKEN, "ana");
                Ok(())
            }
            Directive::Token(Vendor::Heroku) => {
                heroku.add_user(HEROKU_TOKEN, "ana@example.com", &[], true);
                Ok(())
            }
            Directive::Hold { app, stage } => heroku.hold(app, held(*stage)),
            Directive::LetGo { app } => heroku.let_go(app),
            Directive::NextFails { app, stage } => match stage {
                Stage::Build => heroku.next_build_fails(app),
                Stage::Release => heroku.next_release_fails(app),
                Stage::Dynos => heroku.next_dynos_crash(app),
            },
            Directive::State { app, stage, word } => heroku.say_state(app, held(*stage), Some(word)),
            Directive::Streams { app, how } => heroku.streams_of(app, style(*how)),
            Directive::Slots { free: true } => {
                heroku.free_slots();
                Ok(())
            }
            Directive::Slots { free: false } => {
                heroku.use_up_slots(u32::MAX);
                Ok(())
            }
            Directive::Dynos { app, quantity } => heroku.set_dynos(app, *quantity),
            Directive::Fir { app } => heroku.of_fir(app),
            Directive::Config { app, key } => heroku.config_change(app, key),
            Directive::Clock { vendor: Vendor::Github, ahead } => {
                github.set_clock(*ahead);
                Ok(())
            }
            Directive::Clock { vendor: Vendor::Heroku, ahead } => {
                heroku.set_clock(*ahead);
                Ok(())
            }
            Directive::DynosFlap { app } => heroku.next_dynos_flap(app),
            Directive::Mended(Vendor::Github) => {
                github.mend();
                Ok(())
            }
            Directive::Mended(Vendor::Heroku) => {
                heroku.clear_faults();
                Ok(())
            }
            Directive::Withdraws { person, vendor: Vendor::Github } => {
                APPS.into_iter().for_each(|app| github.withdraw_app(person, app));
                Ok(())
            }
            Directive::Withdraws { person, vendor: Vendor::Heroku } => {
                heroku.withdraw_apps(&format!("{person}@example.com"));
                Ok(())
            }
            Directive::AccessEnds { person, vendor: Vendor::Github } => {
                github.end_access(person);
                Ok(())
            }
            Directive::AccessEnds { person, vendor: Vendor::Heroku } => {
                heroku.end_access(&format!("{person}@example.com"));
                Ok(())
            }
            Directive::Rotates => {
                heroku.rotate_refresh_tokens(true);
                Ok(())
            }
            Directive::Endable => {
                heroku.apps_may_end_authorizations(true);
                Ok(())
            }
            Directive::NoToken(Vendor::Slack)
            | Directive::Withdraws { vendor: Vendor::Slack, .. }
            | Directive::AccessEnds { vendor: Vendor::Slack, .. }
            | Directive::SignIn { .. }
            | Directive::BegunUnder { .. }
            | Directive::Installable { .. }
            | Directive::Removed { .. }
            | Directive::EventAgain
            | Directive::Token(Vendor::Slack)
            | Directive::Setting { .. }
            | Directive::Fails { .. }
            | Directive::Mended(Vendor::Slack)
            | Directive::Clock { vendor: Vendor::Slack, .. }
            | Directive::BotIn { .. }
            | Directive::Standing { .. }
            | Directive::UserGroup { .. }
            | Directive::Lacks { .. }
            | Directive::ArchiveChannel { .. }
            | Directive::ShareChannel { .. }
            | Directive::CloseChannel { .. }
            | Directive::Crash
            | Directive::Stop
            | Directive::Start
            | Directive::Redeliver => Err("this is not for GitHub or Heroku".to_owned()),
        }
    }

    fn fail(&mut self, vendor: Vendor, rule: FaultRule) -> Result<Strikes, String> {
        match vendor {
            Vendor::Github => Ok(self.github.fail(rule)),
            Vendor::Heroku => Ok(self.heroku.fail(rule)),
            Vendor::Slack => Err("this is not for GitHub or Heroku".to_owned()),
        }
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        self.heroku.next_event_at()
    }

    fn count(&self, tally: &Tally) -> Result<Vec<String>, String> {
        Ok(match tally {
            Tally::Builds(app) => self.heroku.builds(app).into_iter().map(|build| build.status.to_owned()).collect(),
            Tally::Authorizations(person) => {
                vec!["good".to_owned(); self.heroku.authorizations_of(&format!("{person}@example.com"))]
            }
            Tally::Releases(app) => self.heroku.releases(app).into_iter().map(|release| release.status.to_owned()).collect(),
            Tally::Deployments(repo) => {
                let last = |deployment: github::SeenDeployment| {
                    deployment.statuses.last().map_or_else(|| "none".to_owned(), |status| status.state.clone())
                };
                self.github.deployments(repo).into_iter().map(last).collect()
            }
            Tally::Requests { vendor: Vendor::Github, method, path } => {
                let requests = self.github.requests().into_iter();
                requests
                    .filter(|request| request.method == *method && request.path.contains(path))
                    .map(|request| request.status.to_string())
                    .collect()
            }
            Tally::Requests { vendor: Vendor::Heroku, method, path } => {
                let requests = self.heroku.requests().into_iter();
                requests
                    .filter(|request| request.method == *method && request.path.contains(path))
                    .map(|request| request.status.to_string())
                    .collect()
            }
            Tally::Requests { vendor: Vendor::Slack, .. } => return Err("this is not for GitHub or Heroku".to_owned()),
        })
    }

    fn violations(&self) -> Vec<String> {
        let github = self.github.violations().into_iter().map(|what| format!("github: {what}"));
        github.chain(self.heroku.violations().into_iter().map(|what| format!("heroku: {what}"))).collect()
    }
}

fn held(stage: Stage) -> Held {
    match stage {
        Stage::Build => Held::Build,
        Stage::Release => Held::Release,
        Stage::Dynos => Held::Dynos,
    }
}

fn style(how: Streaming) -> StreamStyle {
    match how {
        Streaming::Live => StreamStyle::Live,
        Streaming::Never => StreamStyle::NeverBegin,
        Streaming::Early => StreamStyle::EndEarly,
        Streaming::Cut { once } => StreamStyle::Cut { once },
        Streaming::Drip => StreamStyle::Drip,
        Streaming::Silent => StreamStyle::Silent,
        Streaming::Ahead(seconds) => StreamStyle::Ahead(seconds),
    }
}
