"""Files of Keras 1 and 2, of tf.keras, and those that Keras 3 writes in their format."""
