//! The shapes of answers, as the published schema has them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Held;
use super::records::{App, Build, Closed, Dyno, DynoState, Generation, Pipeline, Release, ReleaseStatus, Slug, User, Who};
use super::state::{World, id_of, later, signature};

/// A moment as apps, builds, releases and dynos write it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment as pipelines, couplings and the link service write it.
pub(super) fn time_with_offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn stack() -> Value {
    json!({"id": id_of("stack", "heroku-24"), "name": "heroku-24"})
}

fn person(who: &Who) -> Value {
    json!({"id": who.id, "email": who.email})
}

fn app_name(app: &App) -> Value {
    json!({"id": app.id, "name": app.name})
}

/// Puts members into an object.
fn add(object: &mut Value, members: Value) {
    if let (Some(object), Value::Object(members)) = (object.as_object_mut(), members) {
        object.extend(members);
    }
}

pub(super) fn account(user: &User) -> Value {
    json!({
        "allow_tracking": true, "beta": false, "created_at": time(user.created_at), "email": user.email, "federated": false,
        "id": user.id, "identity_provider": null, "last_login": time(user.created_at), "name": null, "sms_number": null,
        "suspended_at": (user.closed == Some(Closed::Suspended)).then(|| time(user.created_at)),
        "delinquent_at": (user.closed == Some(Closed::Delinquent)).then(|| time(user.created_at)),
        "two_factor_authentication": !(user.codes.is_empty() && user.spent_codes.is_empty()), "updated_at": time(user.created_at),
        "verified": true, "country_of_residence": null, "default_organization": null, "default_team": null,
    })
}

pub(super) fn feature(name: &str, enabled: bool, at: Timestamp) -> Value {
    json!({
        "created_at": time(at), "description": "Repositories through the Platform API", "doc_url": "https://devcenter.heroku.com/",
        "enabled": enabled, "id": id_of("feature", name), "name": name, "state": "general", "updated_at": time(at),
        "display_name": name, "feedback_email": "feedback@example.com",
    })
}

impl World {
    /// What apps and the apps of filters have in common.
    fn any_app(&self, app: &App) -> Value {
        let pipeline = app.pipeline.and_then(|id| self.pipeline(id));
        let team = pipeline.filter(|pipeline| pipeline.owner_type == "team").map(|pipeline| pipeline.owner.as_str());
        let team = team.map(|name| json!({"id": id_of("team", name), "name": name}));
        let owner = self.owner(app);
        let current = app.current.and_then(|id| self.release(id));
        let released_at = current.map(|release| time(release.updated_at));
        let code = current.is_some_and(|release| release.slug.is_some());
        let random: String = app.id.simple().to_string().chars().take(12).collect();
        json!({
            "archived_at": null, "buildpack_provided_description": code.then_some("Ruby"), "build_stack": stack(),
            "created_at": time(app.created_at), "git_url": format!("https://git.heroku.com/{}.git", app.name), "id": app.id,
            "internal_routing": null, "maintenance": false, "name": app.name, "owner": person(&owner), "team": team,
            "region": {"id": id_of("region", "us"), "name": "us"}, "released_at": released_at, "repo_size": null,
            "slug_size": code.then_some(44_130_304), "space": null, "stack": stack(), "updated_at": time(app.created_at),
            "web_url": format!("https://{}-{random}.herokuapp.com/", app.name),
        })
    }

    pub(super) fn app_json(&self, app: &App, sdk: bool) -> Value {
        let mut object = self.any_app(app);
        let team = object.get("team").cloned();
        add(&mut object, json!({"acm": false, "organization": team}));
        if sdk {
            let more =
                json!({"generation": app.generation.word(), "base_image_name": null, "buildpacks": null, "current_build_architecture": []});
            add(&mut object, more);
        } else {
            let word = app.generation.word();
            add(&mut object, json!({"generation": {"id": id_of("generation", word), "name": word}}));
        }
        object
    }

    pub(super) fn filtered_app_json(&self, app: &App) -> Value {
        let mut object = self.any_app(app);
        // Here a team has no id.
        let team = object.pointer("/team/name").cloned().map(|name| json!({"name": name}));
        add(&mut object, json!({"joined": true, "locked": false, "team": team}));
        object
    }

    pub(super) fn pipeline_json(&self, pipeline: &Pipeline) -> Value {
        let owner = match self.user(&pipeline.owner) {
            Ok(user) if pipeline.owner_type != "team" => user.id,
            Ok(_) | Err(_) => id_of(&pipeline.owner_type, &pipeline.owner),
        };
        let at = time_with_offset(pipeline.created_at);
        json!({
            "created_at": at, "id": pipeline.id, "name": pipeline.name, "owner": {"id": owner, "type": pipeline.owner_type},
            "updated_at": at, "generation": {"id": id_of("generation", "cedar"), "name": "cedar"},
        })
    }

    /// The coupling of an app; `None`: it is in no pipeline.
    pub(super) fn coupling_json(&self, app: &App) -> Option<Value> {
        let pipeline = self.pipeline(app.pipeline?)?;
        let at = time_with_offset(app.created_at);
        // Real answers have the pipeline's name, although the schema does not.
        Some(json!({
            "app": {"id": app.id}, "created_at": at, "id": app.coupling, "pipeline": {"id": pipeline.id, "name": pipeline.name},
            "stage": app.stage, "updated_at": at,
        }))
    }

    fn word(&self, app: uuid::Uuid, stage: Held, truth: &str) -> String {
        self.app_of(app).and_then(|app| app.word.of(stage).clone()).unwrap_or_else(|| truth.to_owned())
    }

    /// What a build made and a release runs, as a slug and as an image: one of them is null.
    fn code_json(&self, app: uuid::Uuid, code: Option<uuid::Uuid>) -> (Generation, Value, Value) {
        let generation = self.app_of(app).map_or(Generation::Cedar, |app| app.generation);
        let code = code.map_or(Value::Null, |id| json!({"id": id}));
        match generation {
            Generation::Cedar => (generation, code, Value::Null),
            Generation::Fir => (generation, Value::Null, code),
        }
    }

    pub(super) fn build_json(&self, build: &Build, sdk: bool) -> Value {
        let (generation, slug, _image) = self.code_json(build.app, build.slug);
        let mut object = json!({
            "app": {"id": build.app}, "buildpacks": [{"url": "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/ruby.tgz",
            "name": "heroku/ruby"}], "created_at": time(build.created_at), "id": build.id,
            "output_stream_url": stream_url(&self.urls.streams, build.id), "source_blob": {"checksum": build.checksum, "url": build.url,
            "version": build.version, "version_description": build.version_description},
            "release": build.release.map(|id| json!({"id": id})), "slug": slug, "stack": "heroku-24",
            "status": self.word(build.app, Held::Build, build.status.word()), "updated_at": time(build.updated_at),
            "user": person(&build.who),
        });
        add(&mut object, if sdk { json!({"labs": {}}) } else { json!({"generation": generation.word()}) });
        object
    }

    pub(super) fn release_json(&self, release: &Release, sdk: bool) -> Value {
        let app = self.app_of(release.app);
        let (generation, slug, image) = self.code_json(release.app, release.slug);
        let kind = match generation {
            Generation::Cedar => "slug",
            Generation::Fir => "oci-image",
        };
        let artifacts: Vec<Value> = release.slug.iter().map(|id| json!({"type": kind, "id": id})).collect();
        let output = release.phase.as_ref().map(|_| stream_url(&self.urls.streams, release.id));
        let mut object = json!({
            "addon_plan_names": [], "artifacts": artifacts, "app": app.map(app_name), "created_at": time(release.created_at),
            "description": release.description, "id": release.id, "updated_at": time(release.updated_at),
            "slug": slug, "status": self.word(release.app, Held::Release, release.status.word()),
            "user": person(&release.who), "version": release.version, "current": app.is_some_and(|app| app.current == Some(release.id)),
            "output_stream_url": output,
            "eligible_for_rollback": release.status == ReleaseStatus::Succeeded && release.slug.is_some(),
        });
        if sdk {
            add(&mut object, json!({"oci_image": image}));
        }
        object
    }

    pub(super) fn dyno_json(&self, dyno: &Dyno) -> Value {
        let state = match dyno.state {
            DynoState::Starting { .. } => "starting",
            DynoState::Up | DynoState::Tottering { .. } => "up",
            DynoState::Crashed { .. } => "crashed",
        };
        let state = if dyno.kind == "web" { self.word(dyno.app, Held::Dynos, state) } else { state.to_owned() };
        json!({
            "attach_url": null, "command": dyno.command, "created_at": time(dyno.created_at), "id": dyno.id, "name": dyno.name,
            "release": {"id": dyno.release.0, "version": dyno.release.1}, "app": self.app_of(dyno.app).map(app_name),
            "size": "Standard-1X", "state": state, "type": dyno.kind, "updated_at": time(dyno.updated_at),
        })
    }

    /// The formation of an app: nothing before its first code, then its process types.
    pub(super) fn formation_json(&self, app: &App) -> Vec<Value> {
        if app.current.and_then(|id| self.release(id)).is_none_or(|release| release.slug.is_none()) {
            return Vec::new();
        }
        let mut types = vec![("web", "bin/server", app.quantity)];
        if app.release_phase {
            types.push(("release", "bin/migrate", 0));
        }
        let one = |(kind, command, quantity): (&str, &str, u32)| {
            json!({
                "app": app_name(app), "command": command, "created_at": time(app.created_at),
                "dyno_size": {"id": id_of("dyno size", "Standard-1X"), "name": "Standard-1X"},
                "id": id_of("formation", &format!("{} {kind}", app.id)), "quantity": quantity, "size": "Standard-1X", "type": kind,
                "updated_at": time(app.created_at),
            })
        };
        types.into_iter().map(one).collect()
    }

    pub(super) fn slug_json(&self, slug: &Slug) -> Value {
        let app = self.app_of(slug.app);
        let mut types = json!({"web": "bin/server"});
        if app.is_some_and(|app| app.release_phase) {
            add(&mut types, json!({"release": "bin/migrate"}));
        }
        let sealed = signature(&format!("slug {}", slug.id));
        json!({
            "blob": {"method": "get", "url": format!("{}/slugs/{}?X-Amz-Expires=3600&X-Amz-Signature={sealed}", self.urls.storage, slug.id)},
            "buildpack_provided_description": "Ruby", "checksum": format!("SHA256:{sealed}"), "commit": slug.commit,
            "commit_description": slug.commit_description, "created_at": time(slug.created_at), "id": slug.id, "process_types": types,
            "size": 44_130_304, "stack": stack(), "updated_at": time(slug.created_at), "deleted_at": null,
        })
    }
}

impl World {
    pub(super) fn image_json(&self, image: &Slug) -> Value {
        let command = |name: &str, command: &str| json!({"name": name, "display_cmd": command, "command": format!("/cnb/process/{name}"), "working_dir": "/workspace", "default": name == "web"});
        let mut types = json!({"web": command("web", "bin/server")});
        if self.app_of(image.app).is_some_and(|app| app.release_phase) {
            add(&mut types, json!({"release": command("release", "bin/migrate")}));
        }
        json!({
            "architecture": "arm64", "base_image_name": "heroku/heroku:24-cnb", "base_top_layer": format!("sha256:{}", signature("base image")),
            "buildpacks": [{"id": "heroku/ruby", "version": "5.0.0", "homepage": "https://buildpacks.example/ruby"}], "commit": image.commit,
            "commit_description": image.commit_description.clone().unwrap_or_default(), "created_at": time(image.created_at), "deleted_at": null,
            "digest": format!("sha256:{}", signature(&format!("image {}", image.id))), "id": image.id,
            "image_repo": format!("{}/builds", image.app), "process_types": types, "stack": stack(), "updated_at": time(image.created_at),
        })
    }
}

/// The address of an output stream: whoever has it may read it.
pub(super) fn stream_url(streams: &str, of: uuid::Uuid) -> String {
    let sealed = signature(&format!("stream {of}"));
    let key: String = sealed.chars().take(24).collect();
    format!("{streams}/streams/{key}/logs/{of}.log?X-Amz-Expires=86400&X-Amz-Signature={sealed}")
}

/// Two addresses for a source: to put it and to get it.
pub(super) fn upload_urls(storage: &str, key: uuid::Uuid) -> (String, String) {
    let sealed = |verb: &str| signature(&format!("{verb} {key}"));
    let url = |verb: &str| format!("{storage}/uploads/{}?X-Amz-Expires=3600&X-Amz-Signature={}", key.simple(), sealed(verb));
    (url("put"), url("get"))
}

/// The numbers in answers of the link service: they follow from the name.
pub(super) fn repository_number(name: &str) -> u32 {
    id_of("repository", name).as_fields().0 / 4
}

/// When an output stream is forgotten.
pub(super) fn stream_end(ended_at: Timestamp) -> Timestamp {
    later(ended_at, 24 * 60 * 60)
}
