"""The confusion matrix as a picture, for TensorBoard."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from audionet.evaluation.confusion import Confusion

CELL, SMALL_CELL = 44, 10  # pixels; small ones, without numbers, for more classes than MANY
MANY = 40
MARGIN = 6
FONT_SIZE = 13
DARKEST = np.array([8, 48, 107])  # blue, of a cell that has all of its row; white has none


def draw_confusion(confusion: Confusion) -> np.ndarray:
    """uint8, height x width x 3: rows are the truth, columns what it was taken for, darker the larger its share."""
    count = len(confusion.labels)
    cell = CELL if count <= MANY else SMALL_CELL
    font = ImageFont.load_default(FONT_SIZE)
    names = [f"{n} {label}" for n, label in enumerate(confusion.labels, start=1)]
    left = round(max(font.getlength(name) for name in names)) + 2 * MARGIN
    top = FONT_SIZE + 2 * MARGIN
    image = Image.new("RGB", (left + count * cell + MARGIN, top + count * cell + MARGIN), "white")
    draw = ImageDraw.Draw(image)
    for row, name in enumerate(names):
        if cell == CELL:
            draw.text((left - MARGIN, top + (row + 0.5) * cell), name, "black", font, anchor="rm")
            draw.text((left + (row + 0.5) * cell, top / 2), str(row + 1), "black", font, anchor="mm")
        whole = max(1, int(confusion.matrix[row].sum()))
        for column in range(count):
            number = int(confusion.matrix[row, column])
            red, green, blue = (255 + (DARKEST - 255) * number / whole).astype(int).tolist()
            x, y = left + column * cell, top + row * cell
            draw.rectangle((x, y, x + cell - 2, y + cell - 2), (red, green, blue))
            if number and cell == CELL:
                ink = "white" if number > whole / 2 else "black"
                draw.text((x + cell / 2, y + cell / 2), str(number), ink, font, anchor="mm")
    return np.asarray(image)
