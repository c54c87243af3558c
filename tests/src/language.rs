//! Which language a line is in, as far as can be told without knowing any.

/// Most words of plain letters that follow each other in `line`: three are a sentence in English or Portuguese, and none in Russian or Chinese. What stands in backticks or, as it can be technical,
/// in parentheses does not count, nor do lists with commas.
pub fn longest_run_of_words(line: &str) -> usize {
    let unquoted: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ` ");
    let outside: String = unquoted.split(['(', ')']).step_by(2).collect::<Vec<_>>().join(" ( ");
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words: Vec<bool> = outside.split_whitespace().map(is_word).collect();
    words.split(|is_word| !is_word).map(<[bool]>::len).max().unwrap_or_default()
}
