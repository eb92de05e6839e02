//! Links to everything about a person on a real store, and what is remembered of whoever was here.

use super::super::testing::Outside;
use super::*;
use crate::adapters::secrets::SystemSecrets;
use crate::adapters::sled::SledStore;
use crate::domain::deployment::samples::{deployment, person};
use crate::domain::deployment::{DynosUp, Phase};
use crate::domain::names::DeploymentId;
use crate::ports::{Batch, Clock as _, Store as _};
use crate::testing::exports;
use crate::testing::forgets::{self, By, Reader};

/// A store with a deployment of each of two people.
struct Links {
    outside: Arc<Outside>,
    ports: Ports,
    _folder: tempfile::TempDir,
}

impl Links {
    async fn new() -> Self {
        let (folder, outside) = (tempfile::tempdir().unwrap(), Outside::new());
        let store = SledStore::open(folder.path()).unwrap();
        let mut deployments = Vec::new();
        for (number, user) in [(1, "ana"), (2, "bo")] {
            let mut one = deployment(Phase::Succeeded { version: 1, dynos: DynosUp::None }).closed_now();
            (one.id, one.version, one.origin.person) = (DeploymentId(uuid::Uuid::from_u128(number)), 0, person(user));
            deployments.push(one);
        }
        store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
        let page = PrivacyPage { public: Some("https://h.example.com".to_owned()), ..PrivacyPage::default() };
        let privacy = Privacy::new(Arc::new(store), Some(Arc::new(SystemSecrets)), page);
        let ports = Ports { privacy: Arc::new(privacy), ..outside.ports() };
        Self { outside, ports, _folder: folder }
    }
}

#[async_trait]
impl exports::Stage for Links {
    fn exports(&self) -> Arc<dyn Exports> {
        Arc::new(ExportLinks(self.ports.clone()))
    }

    async fn offer(&mut self) -> SecretString {
        let told = format!("{:?}", export(&self.ports, &person("ana")).await.unwrap());
        let (_, link) = told.split_once("https://h.example.com/privacy/export/").unwrap();
        link.split('"').next().unwrap().into()
    }

    fn marks(&self) -> (&'static str, &'static str) {
        ("\"ana\"", "\"bo\"")
    }

    async fn time_goes_on(&mut self) {
        self.outside.pass(LINK_LIVES.as_secs());
    }
}

#[tokio::test]
async fn links_keep_the_promises_of_exports() {
    exports::all(Links::new).await;
}

/// Whoever was here this month.
struct Here(Arc<Privacy>, Month);

#[async_trait]
impl forgets::Stage for Here {
    fn memory(&self) -> Arc<dyn Forgets> {
        self.0.clone()
    }

    fn by(&self) -> &'static [By] {
        &[By::Person, By::Workspace]
    }

    async fn read(&mut self, reader: &Reader) {
        self.0.is_here(&reader.person, self.1);
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        self.0.was_here(&reader.person, self.1).into()
    }
}

#[tokio::test]
async fn whoever_was_here_is_forgotten_as_promised() {
    forgets::all(async || Here(Privacy::none(), Month::of(Outside::new().now()))).await;
}
