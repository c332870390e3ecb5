"""A small Llama-style transformer: RMS norm, rotary positions, SwiGLU, tied embeddings.

Parameter names and config.json follow Hugging Face's `LlamaForCausalLM`, so that any host that
reads Llama reads these models.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn import functional as F

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 2048,
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "hidden_act": "silu",
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "torch_dtype": "float16",
}


class Norm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"]) * self.weight


def rotary(positions: torch.Tensor) -> tuple:
    """cos and sin of shape positions.shape + (head_dim,)."""
    half = torch.arange(0, CONFIG["head_dim"], 2, dtype=torch.float32) / CONFIG["head_dim"]
    angles = positions[..., None].float() * (CONFIG["rope_theta"] ** -half)
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        width = CONFIG["hidden_size"]
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(width, width, bias=False))

    def forward(self, x, cos, sin, mask, past=None):
        batch, length, width = x.shape
        heads = CONFIG["num_attention_heads"]
        split = lambda y: y.view(batch, length, heads, width // heads).transpose(1, 2)
        q = rotate(split(self.q_proj(x)), cos, sin)
        k = rotate(split(self.k_proj(x)), cos, sin)
        v = split(self.v_proj(x))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = q @ k.transpose(2, 3) / (width // heads) ** 0.5 + mask
        out = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        return self.o_proj(out), (k, v)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        width, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = Norm(CONFIG["hidden_size"])
        self.self_attn = Attention()
        self.post_attention_layernorm = Norm(CONFIG["hidden_size"])
        self.mlp = MLP()

    def forward(self, x, cos, sin, mask, past=None):
        attended, present = self.self_attn(self.input_layernorm(x), cos, sin, mask, past)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), present


class Body(nn.Module):
    def __init__(self, vocabulary: int):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, CONFIG["hidden_size"])
        self.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = Norm(CONFIG["hidden_size"])


class Llama(nn.Module):
    def __init__(self, vocabulary: int = CONFIG["vocab_size"]):
        super().__init__()
        self.model = Body(vocabulary)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.05)

    def forward(self, ids: torch.Tensor, past=None):
        """ids [batch, length] -> logits [batch, length, vocabulary] and the keys and values of each layer."""
        begin = 0 if past is None else past[0][0].shape[2]
        length = ids.shape[1]
        cos, sin = rotary(torch.arange(begin, begin + length))
        mask = torch.full((length, begin + length), float("-inf")).triu(begin + 1)
        x, presents = self.model.embed_tokens(ids), []
        for i, layer in enumerate(self.model.layers):
            x, present = layer(x, cos, sin, mask, None if past is None else past[i])
            presents.append(present)
        return self.model.norm(x) @ self.model.embed_tokens.weight.T, presents


def save(model: Llama, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().numpy().astype(np.float16) for k, v in model.state_dict().items()}
    save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})
    sizes = {"vocab_size": model.model.embed_tokens.num_embeddings, "num_hidden_layers": len(model.model.layers)}
    config = {**CONFIG, **sizes}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load(folder: pathlib.Path) -> Llama:
    config = json.loads((folder / "config.json").read_text())
    model = Llama(config["vocab_size"])
    del model.model.layers[config["num_hidden_layers"] :]
    state = load_file(str(folder / "model.safetensors"))
    model.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()})
    return model
