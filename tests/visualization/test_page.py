"""A page that holds everything it shows."""

import base64
import io

from PIL import Image

from src.visualization.page import Section, code, folded, halved_table, page, paragraph, picture, table
from tests.support.html_pages import assert_self_contained, parse_page


def test_a_page_of_every_part_is_well_formed_and_complete():
    def draw(path):
        Image.new("RGB", (3, 2), "red").save(path)

    content = (
        paragraph("prose") + table([("a", 1)], ("name", "value")) + folded("more", code("x = 1")) + picture(draw, "red")
    )
    text = page("Title", "subtitle", [Section("First part", content), Section("Second", paragraph("end"))])
    parsed = parse_page(text)
    assert_self_contained(parsed)
    assert parsed.texts["h2"] == ["First part", "Second"]
    assert parsed.values("href") == ["#first-part", "#second"] == [f"#{anchor}" for anchor in parsed.values("id")]
    assert (parsed.texts["td"], parsed.texts["th"]) == (["a", "1"], ["name", "value"])
    (source,) = parsed.values("src")
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        assert image.size == (3, 2)


def test_a_long_table_stands_in_two_columns():
    parsed = parse_page(page("t", "", [Section("s", halved_table([(1,), (2,), (3,)], ("n",)))]))
    assert (parsed.tags.count("table"), parsed.texts["td"], parsed.texts["th"]) == (2, ["1", "2", "3"], ["n", "n"])
    assert halved_table([(1,)], ("n",)).count("<table>") == 1


def test_names_cannot_break_the_page():
    evil = '<script>alert("1")</script> & "more"'
    parsed = parse_page(page(evil, evil, [Section(evil, paragraph(evil) + code(evil) + table([(evil,)]))]))
    assert_self_contained(parsed)
    assert [parsed.texts[tag] for tag in ("title", "h1", "h2", "pre", "td")] == [[evil]] * 5
