//! In the place of `highlighter`: does what the name of the file asks for.

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/deps/highlighting",
    world: "highlighting",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

use exports::lithe::highlighting::highlighter::{Guest, Highlighted, Kind, Source};

struct Odd;
export!(Odd);

impl Guest for Odd {
    fn edition() -> Result<String, String> {
        Ok("odd".to_owned())
    }

    fn highlight(source: Source, text: String) -> Result<Option<Highlighted>, String> {
        let run = |bytes: usize, kind: u32| (bytes as u32) << 5 | kind;
        let whole = run(text.len(), Kind::Heading as u32);
        let runs = match source.file_name.as_deref().unwrap_or_default() {
            "trap.c" => panic!("as asked"),
            "loop.c" => loop {
                std::hint::spin_loop();
            },
            "memory.c" => {
                drop(std::hint::black_box(vec![1_u8; 1 << 30]));
                vec![whole]
            }
            "error.c" => return Err("not today".to_owned()),
            "cut.c" => vec![run(1, 1); text.len()],
            "long.c" => vec![run(text.len(), 1), u32::MAX, u32::MAX],
            "unknown.c" => vec![run(text.len(), 31)],
            _ => vec![whole],
        };
        let language = match source.file_name.as_deref() {
            Some("name.lines") => "Odd\n<form>",
            _ => "<b>Odd</b>",
        };
        Ok(Some(Highlighted { language: language.to_owned(), runs }))
    }
}
