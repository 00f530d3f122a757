"""Encrypted MINDIR: read with its key only, equal to the network; the key appears nowhere."""

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from src.commands.export import export_file
from src.deployment.encryption import Encryption, read_encryption
from src.deployment.formats import FormatOptions
from src.deployment.verification import Reference
from src.models import LayerContext, create_model
from tests.support.small_step import Linear
from tests.support.user_errors import message_of

KEY = bytes(range(65, 81))
INPUTS = {"random": np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)}


@pytest.mark.parametrize("mode", ["AES-GCM", "AES-CBC", "SM4-CBC"])
def test_a_file_is_read_with_its_key_only(mode, tmp_path):
    network = Linear().set_train(False)
    path = tmp_path / "net.mindir"
    options = FormatOptions(encryption=Encryption(KEY, mode))
    assert export_file(network, INPUTS, Reference(network), path, "MINDIR", options=options)["random"].difference < 1e-6
    assert KEY not in Path(f"{path}.json").read_bytes()
    graph = nn.GraphCell(ms.load(str(path), dec_key=KEY, dec_mode=mode))
    value = ms.Tensor(INPUTS["random"])
    np.testing.assert_allclose(graph(value).asnumpy(), network(value).asnumpy(), atol=1e-6)
    for wrong in ({}, {"dec_key": KEY[::-1], "dec_mode": mode}):
        with pytest.raises(RuntimeError, match="Load MindIR failed"):
            ms.load(str(path), **wrong)


def test_choices_of_neighbours_are_compared_too(tmp_path):
    ms.set_context(mode=ms.GRAPH_MODE)
    networks = [create_model("vig_nano", image_size=20, context=LayerContext(exporting=one)) for one in (True, False)]
    exporting, network = (each.set_train(False) for each in networks)
    images = {"random": np.random.default_rng(0).standard_normal((1, 3, 20, 20)).astype(np.float32)}
    options = FormatOptions(dynamic_batch=True, encryption=Encryption(KEY, "AES-GCM"))
    found = export_file(exporting, images, Reference(network), tmp_path / "net.mindir", "MINDIR", options=options)
    assert set(found) == {"random", "a batch of 3 random", "a batch of 8 random"}
    assert max(one.loss for one in found.values()) < 1e-4


def test_a_line_end_after_the_key_does_not_belong_to_it(tmp_path):
    path = tmp_path / "key"
    for ending in (b"", b"\n", b"\r\n"):
        path.write_bytes(KEY + ending)
        assert read_encryption(path, "AES-GCM") == Encryption(KEY, "AES-GCM")
    path.write_bytes(KEY[:-1] + b"\n")  # a random key may end in any byte
    assert read_encryption(path, "AES-GCM").key == KEY[:-1] + b"\n"


def test_the_key_is_not_printed():
    assert repr(Encryption(KEY, "AES-GCM")) == "Encryption(mode='AES-GCM')"


def test_files_without_a_key(tmp_path):
    path = tmp_path / "key"
    assert message_of(read_encryption, path, "AES-GCM") == (
        f"enc_key_file: {path} cannot be read (No such file or directory): give a file with the key"
    )
    path.write_bytes(bytes(24))
    assert read_encryption(path, "AES-CBC").key == bytes(24)
    assert message_of(read_encryption, path, "SM4-CBC") == (
        f"enc_key_file: {path} has 24 bytes, a key of SM4-CBC has 16: make one with openssl rand -out {path} 16"
    )
