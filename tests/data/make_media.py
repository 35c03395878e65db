"""Small pictures and recordings, and what Pillow has in them: tests/data/media and
media_expected.tsv. Needs Pillow, numpy and soundfile:

    python3 tests/data/make_media.py

Rows of the table: `picture FILE WIDTH HEIGHT HEX` (RGB as decoded, EXIF done), `resize FILE FILTER
WIDTH HEIGHT HEX` and `sound FILE RATE COUNT HEX` (float32 of the mean of the channels).
"""
import pathlib
import struct
import zlib

import numpy
import soundfile
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "media"
WIDTH, HEIGHT = 21, 13
FILTERS = {"nearest": Image.Resampling.NEAREST, "box": Image.Resampling.BOX,
           "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "lanczos": Image.Resampling.LANCZOS}
SIZES = [(7, 5), (21, 5), (8, 13), (40, 29), (16, 30), (1, 1)]


def scene():
    """Slopes, an edge and some noise, so that a pixel out of its place shows."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    noise = numpy.random.default_rng(7).integers(0, 40, (HEIGHT, WIDTH, 3))
    rgb = numpy.stack([x * 10, y * 16, (x + y) * 6], axis=2) + noise
    rgb[3:8, 4:9] = (250, 20, 60)
    return rgb.clip(0, 255).astype(numpy.uint8)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def interlaced_png(rgb):
    """Pillow writes none: Adam7, without filters."""
    rows = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in rgb[y0::dy, x0::dx]:
            rows += b"\0" + row.tobytes() if row.size else b""
    header = struct.pack(">IIBBBBB", rgb.shape[1], rgb.shape[0], 8, 2, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def rgb16_png(rgb16):
    """Nor these: 16 bits a channel."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb16)
    header = struct.pack(">IIBBBBB", rgb16.shape[1], rgb16.shape[0], 16, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def bmp(bits, rows, masks=None, palette=b"", top_down=False):
    """Pillow writes few kinds of these."""
    height = len(rows)
    body = b"".join(r + bytes(-len(r) % 4) for r in (rows if top_down else rows[::-1]))
    fields = struct.pack("<III", *masks) if masks else b""
    offset = 14 + 40 + len(fields) + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, -height if top_down else height, 1, bits,
                       3 if masks else 0, len(body), 2835, 2835, len(palette) // 4, 0)
    header = b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    return header + info + fields + palette + body


def pictures():
    rgb = scene()
    image = Image.fromarray(rgb)
    alpha = Image.fromarray((numpy.arange(HEIGHT * WIDTH) % 256).astype(numpy.uint8)
                            .reshape(HEIGHT, WIDTH))
    image.save(OUT / "rgb.png")
    image.convert("L").save(OUT / "grey.png")
    image.convert("1").save(OUT / "bits.png")
    image.quantize(16).save(OUT / "palette.png", bits=4)
    image.quantize(9).save(OUT / "palette_clear.png", transparency=2)
    with_alpha = image.copy()
    with_alpha.putalpha(alpha)
    with_alpha.save(OUT / "rgba.png")
    with_alpha.convert("LA").save(OUT / "grey_alpha.png")
    (OUT / "interlaced.png").write_bytes(interlaced_png(rgb))
    wide = rgb.astype(numpy.uint16) * 256 + rgb[::-1]
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    (OUT / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                                   chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b""))
    (OUT / "rgb16.png").write_bytes(rgb16_png(wide))
    Image.fromarray(wide[:, :, 0]).save(OUT / "grey16.png")
    image.save(OUT / "rgb.jpg", quality=90)
    image.save(OUT / "full.jpg", quality=90, subsampling=0)
    image.save(OUT / "progressive.jpg", quality=80, progressive=True)
    image.convert("L").save(OUT / "grey.jpg", quality=90)
    image.convert("CMYK").save(OUT / "cmyk.jpg", quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(OUT / f"turned{orientation}.jpg", quality=85, subsampling=0, exif=exif)
    image.save(OUT / "rgb.bmp")
    image.convert("L").save(OUT / "grey.bmp")
    image.convert("1").save(OUT / "bits.bmp")
    image.quantize(16).save(OUT / "palette.bmp")
    with_alpha.save(OUT / "rgba.bmp")
    five = rgb.astype(numpy.uint16) >> 3
    packed = (five[:, :, 0] << 10 | five[:, :, 1] << 5 | five[:, :, 2]).astype("<u2")
    (OUT / "rgb555.bmp").write_bytes(bmp(16, [r.tobytes() for r in packed]))
    six = rgb[:, :, 1].astype(numpy.uint16) >> 2
    packed = (five[:, :, 0] << 11 | six << 5 | five[:, :, 2]).astype("<u2")
    (OUT / "rgb565.bmp").write_bytes(bmp(16, [r.tobytes() for r in packed], (0xF800, 0x7E0, 0x1F)))
    image.save(OUT / "rgb.ppm")
    image.convert("L").save(OUT / "grey.pgm")
    rows = [r[:, ::-1].tobytes() for r in rgb]
    (OUT / "top_down.bmp").write_bytes(bmp(24, rows, top_down=True))


def decoded(path):
    with Image.open(path) as image:
        if image.mode.startswith("I;16"):  # the high byte, as libpng's png_set_strip_16
            high = (numpy.asarray(image).astype(numpy.uint16) >> 8).astype(numpy.uint8)
            return Image.fromarray(high).convert("RGB")
        return ImageOps.exif_transpose(image).convert("RGB")


def sounds():
    rate = 8000
    t = numpy.arange(400) / rate
    left = (numpy.sin(2 * numpy.pi * 440 * t) * 12000).astype(numpy.int16)
    right = (numpy.sin(2 * numpy.pi * 1000 * t) * 8000).astype(numpy.int16)
    stereo = numpy.stack([left, right], axis=1)
    mean = stereo.astype(numpy.float64).mean(axis=1) / 32768
    mono = left.astype(numpy.float64) / 32768
    out = []
    for name, samples, subtype, wanted in (
            ("stereo.wav", stereo, "PCM_16", mean), ("mono.flac", left, "PCM_16", mono),
            ("stereo.flac", stereo, "PCM_16", mean), ("wide.wav", left, "PCM_24", mono),
            ("float.wav", mono.astype(numpy.float32), "FLOAT", mono),
            ("bytes.wav", (left // 256 * 256).astype(numpy.int16), "PCM_U8", left // 256 / 128)):
        soundfile.write(OUT / name, samples, rate, subtype=subtype)
        out.append((name, rate, numpy.asarray(wanted, dtype=numpy.float64).astype("<f4")))
    return out


def main():
    OUT.mkdir(exist_ok=True)
    pictures()
    rows = ["# Written by make_media.py."]
    for path in sorted(OUT.iterdir()):
        if path.suffix in (".png", ".jpg", ".bmp", ".ppm", ".pgm") and path.name != "huge.png":
            image = decoded(path)
            rows.append(f"picture\t{path.name}\t{image.width}\t{image.height}\t"
                        f"{image.tobytes().hex()}")
    image = decoded(OUT / "rgb.png")
    for name, how in FILTERS.items():
        for width, height in SIZES:
            pixels = image.resize((width, height), how).tobytes().hex()
            rows.append(f"resize\trgb.png\t{name}\t{width}\t{height}\t{pixels}")
    for name, rate, samples in sounds():
        rows.append(f"sound\t{name}\t{rate}\t{len(samples)}\t{samples.tobytes().hex()}")
    (HERE / "media_expected.tsv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
