"""The public names of Keras 3.15 by namespace, and those that layerkit leaves out, with the reason.

A new namespace is one entry of NAMES; a name that is left out stands in ABSENT too.
"""

from __future__ import annotations

_NO_QUANTIZATION = "layers compute and keep floats"
_NO_REMATERIALIZATION = "backward passes use what forward passes kept"
_OUTSIDE = "outside of building, training and saving models"
_STATEFUL = "variables hold their state themselves"

NAMES: dict[str, tuple[str, ...]] = {
    namespace: tuple(names.split())
    for namespace, names in {
        "": """
            activations applications backend callbacks config constraints datasets device
            distillation distribution dtype_policies DTypePolicy export FloatDTypePolicy
            Initializer initializers Input InputSpec Layer layers legacy Loss losses Metric
            metrics mixed_precision Model models name_scope Optimizer optimizers Quantizer
            quantizers Regularizer regularizers remat RematScope saving Sequential StatelessScope
            SymbolicScope utils Variable version visualization wrappers __version__
        """,
        "activations": """
            celu deserialize elu exponential gelu get glu hard_shrink hard_sigmoid hard_silu
            hard_swish hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu
            serialize sigmoid silu soft_shrink softmax softplus softsign sparse_plus
            sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
        """,
        "backend": """
            backend clear_session epsilon floatx get_uid image_data_format is_float_dtype
            is_int_dtype result_type set_epsilon set_floatx set_image_data_format
            standardize_dtype
        """,
        "callbacks": """
            BackupAndRestore Callback CallbackList CSVLogger EarlyStopping History LambdaCallback
            LearningRateScheduler ModelCheckpoint OrbaxCheckpoint ProgbarLogger ReduceLROnPlateau
            RemoteMonitor SwapEMAWeights TensorBoard TerminateOnNaN
        """,
        "config": """
            backend disable_flash_attention disable_interactive_logging
            disable_traceback_filtering dtype_policy enable_flash_attention
            enable_interactive_logging enable_traceback_filtering enable_unsafe_deserialization
            epsilon floatx image_data_format is_flash_attention_enabled
            is_interactive_logging_enabled is_nnx_enabled is_traceback_filtering_enabled
            max_epochs max_steps_per_epoch set_backend set_dtype_policy set_epsilon set_floatx
            set_image_data_format set_max_epochs set_max_steps_per_epoch
        """,
        "constraints": """
            Constraint deserialize get max_norm MaxNorm min_max_norm MinMaxNorm non_neg NonNeg
            serialize unit_norm UnitNorm
        """,
        "dtype_policies": """
            AWQDTypePolicy deserialize DTypePolicy DTypePolicyMap FloatDTypePolicy get
            GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy QuantizedFloat8DTypePolicy
            serialize
        """,
        "initializers": """
            Constant constant deserialize get glorot_normal glorot_uniform GlorotNormal
            GlorotUniform he_normal he_uniform HeNormal HeUniform identity Identity
            IdentityInitializer Initializer lecun_normal lecun_uniform LecunNormal LecunUniform
            Ones ones orthogonal Orthogonal OrthogonalInitializer random_normal random_uniform
            RandomNormal RandomUniform serialize stft STFT STFTInitializer truncated_normal
            TruncatedNormal variance_scaling VarianceScaling Zeros zeros
        """,
        "losses": """
            binary_crossentropy binary_focal_crossentropy BinaryCrossentropy
            BinaryFocalCrossentropy categorical_crossentropy categorical_focal_crossentropy
            categorical_generalized_cross_entropy categorical_hinge CategoricalCrossentropy
            CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge
            Circle circle cosine_similarity CosineSimilarity CTC ctc deserialize Dice dice get
            Hinge hinge Huber huber kl_divergence KLDivergence log_cosh LogCosh Loss
            mean_absolute_error mean_absolute_percentage_error mean_squared_error
            mean_squared_logarithmic_error MeanAbsoluteError MeanAbsolutePercentageError
            MeanSquaredError MeanSquaredLogarithmicError poisson Poisson serialize
            sparse_categorical_crossentropy SparseCategoricalCrossentropy squared_hinge
            SquaredHinge tversky Tversky
        """,
        "metrics": """
            Accuracy AUC binary_accuracy binary_crossentropy binary_focal_crossentropy
            BinaryAccuracy BinaryCrossentropy BinaryIoU categorical_accuracy
            categorical_crossentropy categorical_focal_crossentropy categorical_hinge
            CategoricalAccuracy CategoricalCrossentropy CategoricalHinge concordance_correlation
            ConcordanceCorrelation CosineSimilarity deserialize F1Score FalseNegatives
            FalsePositives FBetaScore get Hinge hinge huber IoU kl_divergence KLDivergence
            log_cosh LogCoshError Mean mean_absolute_error mean_absolute_percentage_error
            mean_squared_error mean_squared_logarithmic_error MeanAbsoluteError
            MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanSquaredError
            MeanSquaredLogarithmicError Metric OneHotIoU OneHotMeanIoU pearson_correlation
            PearsonCorrelation poisson Poisson Precision PrecisionAtRecall R2Score Recall
            RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity serialize
            sparse_categorical_accuracy sparse_categorical_crossentropy
            sparse_top_k_categorical_accuracy SparseCategoricalAccuracy
            SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity
            squared_hinge SquaredHinge Sum top_k_categorical_accuracy TopKCategoricalAccuracy
            TrueNegatives TruePositives
        """,
        "mixed_precision": """
            dtype_policy DTypePolicy global_policy LossScaleOptimizer Policy set_dtype_policy
            set_global_policy
        """,
        "models": """
            load_model Model model_from_json save_model Sequential
        """,
        "optimizers": """
            Adadelta Adafactor Adagrad Adam Adamax AdamW deserialize Ftrl get Lamb legacy Lion
            LossScaleOptimizer MultiOptimizer Muon Nadam Optimizer OptimizerMap RMSprop
            ScheduleFreeAdamW schedules serialize SGD
        """,
        "optimizers.legacy": """
            Adagrad Adam Ftrl Optimizer RMSprop SGD
        """,
        "optimizers.schedules": """
            CosineDecay CosineDecayRestarts deserialize ExponentialDecay InverseTimeDecay
            LearningRateSchedule PiecewiseConstantDecay PolynomialDecay serialize
        """,
        "regularizers": """
            deserialize get L1 l1 l1_l2 L1L2 L2 l2 orthogonal_regularizer OrthogonalRegularizer
            Regularizer serialize
        """,
        "saving": """
            custom_object_scope CustomObjectScope deserialize_keras_object get_custom_objects
            get_registered_name get_registered_object KerasFileEditor load_model load_weights
            register_keras_serializable save_model save_weights serialize_keras_object
        """,
    }.items()
}

# Why these are not there: {namespace: {name: reason}}.
ABSENT: dict[str, dict[str, str]] = {
    "": {
        "distillation": _OUTSIDE,
        "distribution": "one process trains on one device",
        "export": _OUTSIDE,
        "legacy": "old functions of Keras 2; `saving` has them under their present names",
        "Quantizer": _NO_QUANTIZATION,
        "quantizers": _NO_QUANTIZATION,
        "remat": _NO_REMATERIALIZATION,
        "RematScope": _NO_REMATERIALIZATION,
        "StatelessScope": _STATEFUL,
        "SymbolicScope": _STATEFUL,
        "visualization": _OUTSIDE,
        "wrappers": _OUTSIDE,
    },
    "callbacks": {"OrbaxCheckpoint": "writes JAX's file format; ModelCheckpoint writes Keras's"},
    "config": {
        **dict.fromkeys(
            ("disable_flash_attention", "enable_flash_attention", "is_flash_attention_enabled"),
            "no backend has a kernel of that name to switch on",
        ),
        "is_nnx_enabled": "a switch of JAX's Flax",
        **dict.fromkeys(
            ("max_epochs", "max_steps_per_epoch", "set_max_epochs", "set_max_steps_per_epoch"),
            "`epochs` and `steps_per_epoch` are arguments of fit",
        ),
    },
    "dtype_policies": {
        **dict.fromkeys(
            (
                "AWQDTypePolicy",
                "GPTQDTypePolicy",
                "Int4DTypePolicy",
                "QuantizedDTypePolicy",
                "QuantizedFloat8DTypePolicy",
            ),
            _NO_QUANTIZATION,
        ),
        "DTypePolicyMap": "each layer takes its own `dtype`",
    },
    "saving": {"KerasFileEditor": "h5py reads and edits weights files"},
}
