//! `Cursor`: where the next character goes. Cells are not kept, since no question of a program needs them.
use crate::log::Size;

/// Distance of tab stops.
const TAB: u32 = 8;

/// What DECSC saves of it.
#[derive(Clone, Copy, Debug, Default)]
struct Saved {
    row: u32,
    col: u32,
    origin: bool,
}

/// The cursor of a screen, counted from 0. A column equal to the width means that the next character wraps.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    size: Size,
    row: u32,
    col: u32,
    top: u32,
    bottom: u32,
    pub(crate) origin: bool,
    pub(crate) autowrap: bool,
    /// One for each screen, the main and the alternate one.
    saved: [Saved; 2],
    alternate: bool,
    /// Set by the program; none: one at every eighth column.
    tabs: Option<Vec<u32>>,
}

impl Cursor {
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            row: 0,
            col: 0,
            top: 0,
            bottom: size.rows.saturating_sub(1),
            origin: false,
            autowrap: true,
            saved: [Saved::default(); 2],
            alternate: false,
            tabs: None,
        }
    }

    /// Row and column from 1, as reports count: from the top margin in origin mode.
    pub(crate) fn report(&self) -> (u32, u32) {
        let top = if self.origin { self.top } else { 0 };
        (self.row.saturating_sub(top) + 1, self.last_col() + 1)
    }

    pub(crate) fn cols(&self) -> u32 {
        self.size.cols
    }

    /// The screen got another size. Lines that a viewer wraps anew are not followed: programs draw again.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = size;
        (self.top, self.bottom) = (0, size.rows.saturating_sub(1));
        self.row = self.row.min(self.bottom);
        self.col = self.col.min(size.cols);
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.size);
    }

    /// DECSTR: everything but the place.
    pub(crate) fn soft_reset(&mut self) {
        let (row, col) = (self.row, self.col);
        let alternate = self.alternate;
        let tabs = self.tabs.take();
        *self = Self {
            row,
            col,
            alternate,
            tabs,
            ..Self::new(self.size)
        };
    }

    /// A character of this many columns.
    pub(crate) fn print(&mut self, width: u32) {
        if width == 0 {
            return;
        }
        if self.col + width > self.size.cols {
            if self.autowrap {
                self.col = 0;
                self.line_feed();
            } else {
                self.col = self.size.cols.saturating_sub(width);
            }
        }
        self.col = (self.col + width).min(self.size.cols);
    }

    /// So many characters of one column each.
    pub(crate) fn print_narrow(&mut self, count: usize) {
        let mut left = u32::try_from(count).unwrap_or(u32::MAX);
        while left > 0 {
            // One at an edge, then all up to the next.
            self.print(1);
            left -= 1;
            let room = self.size.cols - self.col;
            let now = if self.autowrap { left.min(room) } else { left };
            self.col += now.min(room);
            left -= now;
        }
    }

    /// A wrap that is still to come does not come any more.
    pub(crate) fn line_feed(&mut self) {
        self.col = self.last_col();
        if self.row != self.bottom && self.row + 1 < self.size.rows {
            self.row += 1;
        }
    }

    pub(crate) fn reverse_line_feed(&mut self) {
        if self.row != self.top {
            self.row = self.row.saturating_sub(1);
        }
    }

    pub(crate) fn carriage_return(&mut self) {
        self.col = 0;
    }

    pub(crate) fn backspace(&mut self) {
        self.col = self.last_col().saturating_sub(1);
    }

    /// A wrap that is still to come stays so.
    pub(crate) fn tab(&mut self, count: u32) {
        if self.col >= self.size.cols {
            return;
        }
        for _ in 0..count.min(self.size.cols) {
            let next = match &self.tabs {
                Some(tabs) => tabs.iter().copied().find(|stop| *stop > self.col),
                None => Some((self.col / TAB + 1) * TAB),
            };
            self.col = next
                .unwrap_or(u32::MAX)
                .min(self.size.cols.saturating_sub(1));
        }
    }

    pub(crate) fn tab_back(&mut self, count: u32) {
        for _ in 0..count.min(self.size.cols) {
            let col = self.last_col();
            let next = match &self.tabs {
                Some(tabs) => tabs.iter().rev().copied().find(|stop| *stop < col),
                None => Some(col.saturating_sub(1) / TAB * TAB),
            };
            self.col = next.unwrap_or(0);
        }
    }

    pub(crate) fn set_tab(&mut self) {
        let col = self.last_col();
        let tabs = self.own_tabs();
        if let Err(at) = tabs.binary_search(&col) {
            tabs.insert(at, col);
        }
    }

    pub(crate) fn clear_tab(&mut self) {
        let col = self.last_col();
        self.own_tabs().retain(|stop| *stop != col);
    }

    pub(crate) fn clear_tabs(&mut self) {
        self.tabs = Some(Vec::new());
    }

    fn own_tabs(&mut self) -> &mut Vec<u32> {
        let cols = self.size.cols;
        self.tabs
            .get_or_insert_with(|| (TAB..cols).step_by(TAB as usize).collect())
    }

    /// Moves up, not beyond the top margin when it is below it.
    pub(crate) fn up(&mut self, count: u32) {
        let most = if self.row >= self.top { self.top } else { 0 };
        self.row = self.row.saturating_sub(count).max(most);
        self.col = self.last_col();
    }

    /// Moves down, not beyond the bottom margin when it is above it.
    pub(crate) fn down(&mut self, count: u32) {
        let most = if self.row <= self.bottom {
            self.bottom
        } else {
            self.size.rows.saturating_sub(1)
        };
        self.row = self.row.saturating_add(count).min(most);
        self.col = self.last_col();
    }

    pub(crate) fn right(&mut self, count: u32) {
        self.move_to_col(self.last_col().saturating_add(count));
    }

    pub(crate) fn left(&mut self, count: u32) {
        self.col = self.last_col().saturating_sub(count);
    }

    pub(crate) fn move_to_col(&mut self, col: u32) {
        self.col = col.min(self.size.cols.saturating_sub(1));
    }

    /// To a row as programs count: from the top margin in origin mode.
    pub(crate) fn move_to_row(&mut self, row: u32) {
        self.row = if self.origin {
            self.top.saturating_add(row).min(self.bottom)
        } else {
            row.min(self.size.rows.saturating_sub(1))
        };
    }

    pub(crate) fn move_to(&mut self, row: u32, col: u32) {
        self.move_to_row(row);
        self.move_to_col(col);
    }

    pub(crate) fn set_origin(&mut self, origin: bool) {
        self.origin = origin;
        self.move_to(0, 0);
    }

    /// Rows from 0; an empty region is none.
    pub(crate) fn set_margins(&mut self, top: u32, bottom: u32) {
        let bottom = bottom.min(self.size.rows.saturating_sub(1));
        if top < bottom {
            (self.top, self.bottom) = (top, bottom);
            self.move_to(0, 0);
        }
    }

    pub(crate) fn save(&mut self) {
        self.saved[usize::from(self.alternate)] = Saved {
            row: self.row,
            col: self.col,
            origin: self.origin,
        };
    }

    pub(crate) fn restore(&mut self) {
        let saved = self.saved[usize::from(self.alternate)];
        self.row = saved.row.min(self.size.rows.saturating_sub(1));
        self.col = saved.col.min(self.size.cols);
        self.origin = saved.origin;
    }

    pub(crate) fn show_alternate(&mut self, alternate: bool) {
        self.alternate = alternate;
    }

    fn last_col(&self) -> u32 {
        self.col.min(self.size.cols.saturating_sub(1))
    }
}
