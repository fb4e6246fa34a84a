use engine::paint::*;
use engine::widget::Weight;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let load = |p: &str| -> &'static [u8] { Box::leak(std::fs::read(p).unwrap().into_boxed_slice()) };
    let mut fonts = Fonts::new(load(&args[2]), load(&args[3]));
    for (theme, bg, fg, soft) in [("dark", 0x0b0e14, 0xf2f5fa, 0x8a93a3)] {
        let mut frame = Frame::new(Size::new(160, 128), Color::hex(bg));
        let mut canvas = Canvas::new(&mut frame);
        let mut line = Line::default();
        let mut put = |x: i32, y: i32, size: f64, w: Weight, c: u32, t: &str| {
            line.lay_out(t, Style::new(w, size), 160 - x, &mut fonts);
            line.paint(&mut canvas, Point::new(x, y), Color::hex(c), &mut fonts);
        };
        use Weight::*;
        put(4, 30, 32.0, Bold, fg, "42");
        put(46, 30, 14.0, Regular, soft, "%");
        put(64, 30, 32.0, Regular, fg, "10:58");
        put(4, 46, 10.0, Regular, soft, "CPU Memory 10.24 GB raspberrypi");
        put(4, 58, 10.0, Bold, soft, "CPU Memory 10.24 GB raspberry");
        put(4, 70, 11.0, Regular, fg, "Network 1.24 MB/s 61.5 °C");
        put(4, 84, 12.0, Regular, fg, "Network 1.24 MB/s Qgjpy");
        put(4, 99, 14.0, Regular, fg, "Saturday 21 Nov");
        put(4, 115, 14.0, Bold, fg, "1,234,567.89 Ω");
        put(4, 126, 9.0, Regular, soft, "load 0.42 up 3d 4h temp 61.5 °C 0123456789");
        save(&frame, &format!("{}-{theme}.png", args[1]), 5);
    }
}
fn save(frame: &Frame, path: &str, k: u32) {
    let (w, h) = (frame.size().width, frame.size().height);
    let mut out = Vec::new();
    for y in 0..h * k { for x in 0..w * k {
        let c = frame.pixel(Point::new((x / k) as i32, (y / k) as i32)).unwrap();
        out.extend([c.r, c.g, c.b]);
    } }
    let mut e = png::Encoder::new(std::fs::File::create(path).unwrap(), w * k, h * k);
    e.set_color(png::ColorType::Rgb);
    e.write_header().unwrap().write_image_data(&out).unwrap();
}
