//! Who owns and who works with what: teams, collaborators, and add-ons, of which there are none.

use serde_json::{Value, json};

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::json::time;
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::records::User;
use crate::sandbox::heroku::state::{World, id_of};

fn team(name: &str, made: &str) -> Value {
    json!({
        "id": id_of("team", name), "created_at": made, "credit_card_collections": true, "default": false, "enterprise_account": null,
        "identity_provider": null, "membership_limit": 25, "name": name, "provisioned_licenses": false, "role": "member", "type": "team",
        "updated_at": made,
    })
}

/// The teams whose pipelines the caller sees.
fn teams_of(world: &World, call: &Call<'_>) -> Vec<String> {
    let seen = world.pipelines.iter().filter(|pipeline| pipeline.owner_type == "team" && world.sees(&call.who.email, pipeline));
    let mut names: Vec<String> = seen.map(|pipeline| pipeline.owner.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn made(world: &World) -> String {
    world.pipelines.first().map(|pipeline| time(pipeline.created_at)).unwrap_or_default()
}

pub(super) fn teams(world: &mut World, call: &Call<'_>) -> Handled {
    let made = made(world);
    let members = teams_of(world, call).iter().map(|name| team(name, &made)).collect();
    page(members, call.asked.header("range"), &["id", "name"], world.page_size)
}

pub(super) fn team_info(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    let named = |name: &String| name == id || id_of("team", name).to_string() == id;
    let name = teams_of(world, call).into_iter().find(named).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &team(&name, &made(world))))
}

pub(super) fn collaborators(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    let one = |user: &User| {
        let names: &[&str] = if user.right(app.id)? == AppRight::Deploy { &["view", "deploy"] } else { &["view"] };
        let permissions: Vec<Value> = names.iter().map(|name| json!({"name": name, "description": name})).collect();
        Some(json!({
            "app": {"id": app.id, "name": app.name}, "created_at": time(app.created_at),
            "id": id_of("collaborator", &format!("{} {}", app.id, user.email)), "permissions": permissions, "role": "collaborator",
            "updated_at": time(app.created_at), "user": {"id": user.id, "email": user.email, "federated": false},
        }))
    };
    let members = world.users.iter().filter_map(one).collect();
    page(members, call.asked.header("range"), &["id"], world.page_size)
}

/// Add-ons of an app, or their attachments.
pub(super) fn no_addons(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    world.app_for(call, app, AppRight::View)?;
    page(Vec::new(), call.asked.header("range"), &["id", "name"], world.page_size)
}
