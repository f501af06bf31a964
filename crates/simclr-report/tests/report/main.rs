//! Pages about real, if tiny, runs.
//!
//! Two of the pages stay in Cargo's folder for tests, `report-labelled.html` and `report-unlabelled.html`:
//! `tests/drive_report.py` opens them in a browser.

mod damage;
mod figures;
mod hostile_names;
mod runs;
mod sections;
