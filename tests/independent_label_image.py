"""What label_image.py of 2018 does, written independently: GRAPH LABELS PICTURE... -> a JSON line a picture."""

import json
import sys

import tensorflow as tf


def main(graph_file: str, labels_file: str, picture_files: list[str]) -> None:
    definition = tf.compat.v1.GraphDef()
    with open(graph_file, "rb") as file:
        definition.ParseFromString(file.read())
    with open(labels_file) as file:
        labels = [line.rstrip() for line in file]
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition)
        name = tf.compat.v1.placeholder(tf.string)
        decoded = tf.image.decode_jpeg(tf.io.read_file(name), channels=3)
        batch = tf.expand_dims(tf.cast(decoded, tf.float32), 0)
        resized = tf.compat.v1.image.resize_bilinear(batch, [299, 299])
        normalized = tf.divide(tf.subtract(resized, [0]), [255])
    picture = graph.get_operation_by_name("import/Mul").outputs[0]
    result = graph.get_operation_by_name("import/final_result").outputs[0]
    with tf.compat.v1.Session(graph=graph) as session:
        for picture_file in picture_files:
            values = session.run(normalized, {name: picture_file})
            scores = session.run(result, {picture: values})[0]
            print(json.dumps([picture_file, dict(zip(labels, scores.tolist(), strict=True))]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
