//! The composite grid: many images on one page, each in a cell with a large number.

mod draw;
mod layout;
mod text;

pub use draw::draw_page;
pub use layout::{CELL_SIDE, Cell, Page, REFERENCE_LABEL, lay_out, lay_out_with_reference};
pub use text::{TEXT_HEIGHT, draw_text, text_width};
