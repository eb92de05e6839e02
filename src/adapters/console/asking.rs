//! A form on a terminal: one field after the other, each on a line of its own.

use std::io;

use super::State;
use super::print::{line as words, tidy};
use crate::domain::form::{Entry, Field, FieldName, Form, Sent};

/// What leaves a form: no field takes it.
const LEAVE: &str = ".";
/// What leaves a field empty, or as it is.
const NOTHING: &str = "-";

/// A form that is being filled in. Not printable: it may hold a code.
pub(super) struct Asking {
    form: Form,
    given: Vec<(FieldName, String)>,
}

impl Asking {
    fn next(&self) -> Option<&Field> {
        self.form.fields.get(self.given.len())
    }
}

impl State {
    /// Shows a form, in the place of one that was shown before, and asks for its first field.
    pub(super) fn ask(&mut self, form: &Form) -> io::Result<()> {
        let mut page = format!("[||] (only you) {}\n", tidy(&form.title));
        form.lines.iter().for_each(|line| page.push_str(&format!("     {}\n", words(line))));
        self.write(&page)?;
        self.go_on(Asking { form: form.clone(), given: Vec::new() })
    }

    fn go_on(&mut self, asking: Asking) -> io::Result<()> {
        if let Some(field) = asking.next() {
            let mut line = format!("     {}? {}", tidy(&field.label), tidy(&field.hint));
            if let Entry::OneOf(all) = &field.entry {
                let all: Vec<String> = all.iter().map(|one| tidy(&one.value)).collect();
                line.push_str(&format!(" One of: {}.", all.join(", ")));
            }
            match &field.given {
                Some(given) => line.push_str(&format!(" `{NOTHING}`: {}.", tidy(&given.label))),
                None if field.optional => line.push_str(&format!(" `{NOTHING}`: nothing.")),
                None => {}
            }
            line.push_str(&format!(" `{LEAVE}` leaves it.\n"));
            self.write(&line)?;
            self.asking = Some(asking);
        }
        Ok(())
    }

    /// Takes a line for the field that was asked for; what the form comes to once it is filled in. What was objected to is asked for
    /// again.
    pub(super) fn answered(&mut self, mut asking: Asking, line: &str) -> io::Result<Option<Sent>> {
        if line == LEAVE {
            self.write("     Nothing was sent.\n")?;
            return Ok(None);
        }
        let put_in = |field: &Field| match &field.given {
            _ if line != NOTHING || !(field.optional || field.given.is_some()) => line.to_owned(),
            Some(given) => given.value.clone(),
            None => String::new(),
        };
        asking.given.extend(asking.next().map(|field| (field.name, put_in(field))));
        if asking.next().is_some() {
            return self.go_on(asking).map(|()| None);
        }
        let given = |name| asking.given.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        match asking.form.topic.filled(given) {
            Ok(filled) => Ok(Some(filled)),
            Err(objections) => {
                let told: String = objections.iter().map(|one| format!("     {}\n", one.words)).collect();
                self.write(&told)?;
                asking.given.clear();
                self.go_on(asking).map(|()| None)
            }
        }
    }
}
