//! Lists that grow are answered page by page.
use slipway_core::limits::PAGE_ROWS_MAX;

/// A page of a list. One row more than it holds is looked for, which tells whether another page follows.
#[derive(Clone, Copy, Debug)]
pub struct Page(u32);

impl Page {
    /// A page of so many rows; of one at least, and of no more than any list shows.
    #[must_use]
    pub const fn of(rows: u32) -> Self {
        if rows > PAGE_ROWS_MAX {
            return Self(PAGE_ROWS_MAX);
        }
        if rows == 0 { Self(1) } else { Self(rows) }
    }

    /// How many rows to look for.
    #[must_use]
    pub fn limit(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Leaves the rows of the page; what `key` says of its last row, if another page follows.
    pub fn cut<T, K>(self, rows: &mut Vec<T>, key: impl FnOnce(&T) -> K) -> Option<K> {
        let most = usize::try_from(self.0).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        rows.last().filter(|_| more).map(key)
    }

    /// The same for a list of which a few rows may have one `key`: all of those are on one page.
    pub fn cut_whole<T, K: PartialEq>(self, rows: &mut Vec<T>, key: impl Fn(&T) -> K) -> Option<K> {
        let most = usize::try_from(self.0).unwrap_or(usize::MAX);
        let next = rows.get(most).map(&key)?;
        rows.retain(|row| key(row) != next);
        rows.last().map(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_just_full_is_the_last_one() {
        let page = Page::of(3);
        let mut rows = vec![1, 2, 3];
        assert_eq!(page.cut(&mut rows, |row| *row), None);
        rows.push(4);
        assert_eq!(page.cut(&mut rows, |row| *row), Some(3));
        assert_eq!(rows, [1, 2, 3]);
    }

    #[test]
    fn rows_that_belong_together_are_on_one_page() {
        let page = Page::of(3);
        let mut rows = vec![9, 8, 7, 7];
        assert_eq!(page.cut_whole(&mut rows, |row| *row), Some(8));
        assert_eq!(rows, [9, 8]);
        let mut rows = vec![7, 7, 6];
        assert_eq!(page.cut_whole(&mut rows, |row| *row), None);
        assert_eq!(rows, [7, 7, 6]);
    }

    #[test]
    fn no_page_is_empty_or_without_bound() {
        assert_eq!(Page::of(0).limit(), 2);
        assert_eq!(Page::of(u32::MAX).limit(), i64::from(PAGE_ROWS_MAX) + 1);
    }
}
