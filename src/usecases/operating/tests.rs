//! The operators' desk, at which everything that comes of a question is seen in its order.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::super::testing::Outside;
use super::super::{Ports, Privacy};
use super::*;
use crate::domain::deployment::samples::person;
use crate::domain::privacy::PrivacyPage;
use crate::ports::{Clock as _, MockKeeping};
use crate::testing::operating::{Came, Stage, all};

#[derive(Debug, Default)]
struct Seen {
    came: Vec<Came>,
    lost: bool,
}

struct Desk {
    outside: Arc<Outside>,
    seen: Arc<Mutex<Seen>>,
    desk: OperatorsDesk,
}

impl Desk {
    async fn new() -> Self {
        let (outside, seen) = (Outside::new(), Arc::<Mutex<Seen>>::default());
        let mut keeping = MockKeeping::new();
        let saving = Arc::clone(&seen);
        keeping.expect_save_notes().returning(move |batch| {
            let mut seen = saving.lock().unwrap();
            let deed = |noted: Noted| if let Note::Deed(deed) = noted.note { Some(deed) } else { None };
            let came = batch.save.into_iter().map(|noted| deed(noted).map_or(Came::Done, Came::Recorded));
            if seen.lost {
                return Err(StoreError::Failed("the disk is gone".to_owned()));
            }
            seen.came.extend(came);
            Ok(())
        });
        let looks = || {
            let looked = Arc::clone(&seen);
            move || looked.lock().unwrap().came.push(Came::Done)
        };
        let (look, take) = (looks(), looks());
        keeping.expect_how_much().returning(move |_| {
            look();
            Ok(vec![("deployments", 3)])
        });
        keeping.expect_everything().returning(move |_| {
            take();
            Ok("{}".to_owned())
        });
        let privacy = Arc::new(Privacy::new(Arc::new(keeping), None, PrivacyPage::default()));
        let desk = OperatorsDesk(Ports { privacy, ..outside.ports() });
        Self { outside, seen, desk }
    }
}

#[async_trait]
impl Stage for Desk {
    fn operating(&self) -> Arc<dyn Operating> {
        Arc::new(self.desk.clone())
    }

    fn person(&self) -> Person {
        person("ana")
    }

    fn now(&self) -> Timestamp {
        self.outside.now()
    }

    async fn came(&mut self) -> Vec<Came> {
        self.seen.lock().unwrap().came.clone()
    }

    async fn lose_record(&mut self) {
        self.seen.lock().unwrap().lost = true;
    }
}

#[tokio::test]
async fn the_desk_keeps_the_promises_to_people() {
    all(Desk::new).await;
}
