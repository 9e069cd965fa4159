"""The public names of Keras 3.15 by namespace, and those that layerkit leaves out, with the reason.

A new namespace is one entry of NAMES; a name that is left out stands in ABSENT too.
"""

from __future__ import annotations

_NO_QUANTIZATION = "layers compute and keep floats"
_NO_REMATERIALIZATION = "backward passes use what forward passes kept"
_FORWARD_MODE = "the tape plays backwards only"
_RARE = "few programs use it; not yet"
_OUTSIDE = "outside of building, training and saving models"

NAMES: dict[str, tuple[str, ...]] = {
    namespace: tuple(names.split())
    for namespace, names in {
        "": """
            activations applications backend callbacks config constraints datasets device
            distillation distribution dtype_policies DTypePolicy export FloatDTypePolicy Function
            Initializer initializers Input InputSpec KerasTensor Layer layers legacy Loss losses
            Metric metrics mixed_precision Model models name_scope Operation Optimizer optimizers
            preprocessing Quantizer quantizers Regularizer regularizers remat RematScope saving
            Sequential StatelessScope SymbolicScope utils Variable version visualization wrappers
            __version__
        """,
        "activations": """
            celu deserialize elu exponential gelu get glu hard_shrink hard_sigmoid hard_silu
            hard_swish hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu
            serialize sigmoid silu soft_shrink softmax softplus softsign sparse_plus
            sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
        """,
        "backend": """
            backend clear_session epsilon floatx get_uid image_data_format is_float_dtype
            is_int_dtype is_keras_tensor result_type set_epsilon set_floatx set_image_data_format
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
        "datasets": """
            boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters
        """,
        "datasets.boston_housing": """
            load_data
        """,
        "datasets.california_housing": """
            load_data
        """,
        "datasets.cifar10": """
            load_data
        """,
        "datasets.cifar100": """
            load_data
        """,
        "datasets.fashion_mnist": """
            load_data
        """,
        "datasets.imdb": """
            get_word_index load_data
        """,
        "datasets.mnist": """
            load_data
        """,
        "datasets.reuters": """
            get_label_names get_word_index load_data
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
        "layers": """
            Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
            AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
            Add add AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average average
            AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
            BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate concatenate
            ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D
            Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
            Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
            Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D
            DepthwiseConv2D deserialize Discretization Dot dot Dropout EinsumDense ELU Embedding
            Equalization Flatten FlaxLayer GaussianDropout GaussianNoise GlobalAveragePooling1D
            GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
            GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
            GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention GRU GRUCell
            HashedCrossing Hashing Identity Input InputLayer InputSpec IntegerLookup JaxLayer Lambda
            Layer LayerNormalization LeakyReLU LSTM LSTMCell Masking Maximum maximum
            MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D
            MelSpectrogram Minimum minimum MixUp MultiHeadAttention Multiply multiply Normalization
            Permute Pipeline PReLU RandAugment RandomBrightness RandomColorDegeneration
            RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing
            RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective
            RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
            RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing
            ReversibleEmbedding RMSNormalization RNN SeparableConv1D SeparableConv2D
            SeparableConvolution1D SeparableConvolution2D serialize SimpleRNN SimpleRNNCell Softmax
            Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization
            StackedRNNCells STFTSpectrogram StringLookup Subtract subtract TextVectorization
            TFSMLayer TimeDistributed TorchModuleWrapper UnitNormalization UpSampling1D UpSampling2D
            UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
        """,
        "legacy": """
            saving
        """,
        "legacy.saving": """
            deserialize_keras_object serialize_keras_object
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
            clone_model load_model Model model_from_json save_model Sequential
        """,
        "ops": """
            abs absolute adaptive_average_pool adaptive_max_pool add all allclose amax amin angle
            any append arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
            argpartition argsort array array_split associative_scan average average_pool bartlett
            batch_normalization binary_crossentropy bincount bitwise_and bitwise_invert
            bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman
            broadcast_to cast categorical_crossentropy cbrt cdist ceil celu cholesky
            cholesky_inverse clip concatenate cond conj conjugate conv conv_transpose
            convert_to_numpy convert_to_tensor copy corrcoef correlate cos cosh count_nonzero cross
            ctc_decode ctc_loss cumprod cumsum custom_gradient deg2rad depth_to_space depthwise_conv
            det diag diagflat diagonal diff digitize divide divide_no_nan dot dot_product_attention
            dsplit dstack dtype eig eigh einsum elu empty empty_like equal erf erfc erfinv exp exp2
            expand_dims expm1 extract_sequences eye fabs fft fft2 flip fliplr flipud floor
            floor_divide fmax fmin fmod fold fori_loop full full_like gcd gelu geomspace get_item
            glu greater greater_equal hamming hanning hard_shrink hard_sigmoid hard_silu hard_swish
            hard_tanh heaviside histogram hsplit hstack hypot i0 identity ifft2 imag image in_top_k
            inner inv irfft is_tensor isclose isfinite isin isinf isnan isneginf isposinf isreal
            istft jvp kaiser kron layer_normalization lcm ldexp leaky_relu left_shift less
            less_equal linalg linspace log log10 log1p log2 log_sigmoid log_softmax logaddexp
            logaddexp2 logdet logical_and logical_not logical_or logical_xor logspace logsumexp
            lstsq lu_factor map matmul matrix_rank max max_pool maximum mean median meshgrid min
            minimum mod moments moveaxis multi_hot multiply nan_to_num nanargmax nanargmin
            nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile
            nanstd nansum nanvar ndim negative nextafter nn nonzero norm normalize not_equal numpy
            one_hot ones ones_like outer pad percentile pinv polar power prod psnr ptp qr quantile
            rad2deg ravel real rearrange reciprocal relu relu6 repeat reshape rfft right_shift
            rms_normalization roll rot90 round rsqrt saturate_cast scan scatter scatter_update
            searchsorted segment_max segment_min segment_prod segment_sum select selu separable_conv
            shape sigmoid sign signbit silu sin sinc sinh size slice slice_update slogdet
            soft_shrink softmax softplus softsign solve solve_triangular sort space_to_depth
            sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax split sqrt square
            squareplus squeeze stack std stft stop_gradient subtract sum svd swapaxes swish switch
            take take_along_axis tan tanh tanh_shrink tensordot threshold tile top_k trace transpose
            trapezoid tri tril triu true_divide trunc unfold unique unravel_index unstack vander var
            vdot vectorize vectorized_map view view_as_complex view_as_real vsplit vstack where
            while_loop zeros zeros_like
        """,
        "ops.image": """
            affine_transform crop_images elastic_transform extract_patches extract_patches_3d
            gaussian_blur hsv_to_rgb map_coordinates pad_images perspective_transform resize
            rgb_to_grayscale rgb_to_hsv scale_and_translate sobel_edges ssim
        """,
        "ops.linalg": """
            cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr
            solve solve_triangular svd
        """,
        "ops.nn": """
            adaptive_average_pool adaptive_max_pool average_pool batch_normalization
            binary_crossentropy categorical_crossentropy celu conv conv_transpose ctc_decode
            ctc_loss depth_to_space depthwise_conv dot_product_attention elu fold gelu glu
            hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh layer_normalization leaky_relu
            log_sigmoid log_softmax max_pool moments multi_hot normalize one_hot polar psnr relu
            relu6 rms_normalization selu separable_conv sigmoid silu soft_shrink softmax softplus
            softsign space_to_depth sparse_categorical_crossentropy sparse_plus sparse_sigmoid
            sparsemax squareplus swish tanh_shrink threshold unfold
        """,
        "ops.numpy": """
            abs absolute add all allclose amax amin angle any append arange arccos arccosh arcsin
            arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort array array_split
            average bartlett bincount bitwise_and bitwise_invert bitwise_left_shift bitwise_not
            bitwise_or bitwise_right_shift bitwise_xor blackman broadcast_to cbrt ceil clip
            concatenate conj conjugate copy corrcoef correlate cos cosh count_nonzero cross cumprod
            cumsum deg2rad diag diagflat diagonal diff digitize divide divide_no_nan dot dsplit
            dstack einsum empty empty_like equal exp exp2 expand_dims expm1 eye fabs flip fliplr
            flipud floor floor_divide fmax fmin fmod full full_like gcd geomspace get_item greater
            greater_equal hamming hanning heaviside histogram hsplit hstack hypot i0 identity imag
            inner isclose isfinite isin isinf isnan isneginf isposinf isreal kaiser kron lcm ldexp
            left_shift less less_equal linspace log log10 log1p log2 logaddexp logaddexp2
            logical_and logical_not logical_or logical_xor logspace matmul max maximum mean median
            meshgrid min minimum mod moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
            nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd
            nansum nanvar ndim negative nextafter nonzero not_equal ones ones_like outer pad
            percentile power prod ptp quantile rad2deg ravel real reciprocal repeat reshape
            right_shift roll rot90 round searchsorted select sign signbit sin sinc sinh size slogdet
            sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan
            tanh tensordot tile trace transpose trapezoid tri tril triu true_divide trunc unique
            unravel_index vander var vdot vectorize view vsplit vstack where zeros zeros_like
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
        "preprocessing": """
            image image_dataset_from_directory sequence text_dataset_from_directory
            timeseries_dataset_from_array
        """,
        "preprocessing.image": """
            array_to_img img_to_array load_img save_img smart_resize
        """,
        "preprocessing.sequence": """
            pad_sequences
        """,
        "random": """
            beta binomial categorical dropout gamma normal randint SeedGenerator shuffle
            truncated_normal uniform
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
        "tree": """
            assert_same_paths assert_same_structure flatten flatten_with_path is_nested
            lists_to_tuples map_shape_structure map_structure map_structure_up_to MAP_TO_NONE
            pack_sequence_as traverse
        """,
        "utils": """
            array_to_img audio_dataset_from_directory bounding_boxes clear_session Config
            custom_object_scope CustomObjectScope deserialize_keras_object
            disable_interactive_logging enable_interactive_logging FeatureSpace get_custom_objects
            get_file get_registered_name get_registered_object get_source_inputs
            image_dataset_from_directory img_to_array is_interactive_logging_enabled is_keras_tensor
            legacy load_img model_to_dot normalize pack_x_y_sample_weight pad_sequences plot_model
            Progbar PyDataset register_keras_serializable save_img Sequence serialize_keras_object
            set_random_seed split_dataset standardize_dtype text_dataset_from_directory
            timeseries_dataset_from_array to_categorical unpack_x_y_sample_weight
        """,
        "utils.bounding_boxes": """
            affine_transform clip_to_image_size compute_ciou compute_iou convert_format crop
            decode_deltas_to_boxes encode_box_to_deltas pad
        """,
        "utils.legacy": """
            deserialize_keras_object serialize_keras_object
        """,
    }.items()
}

# Why these are not there: {namespace: {name: reason}}.
ABSENT: dict[str, dict[str, str]] = {
    "": {
        "distillation": _OUTSIDE,
        "distribution": "one process trains on one device",
        "export": _OUTSIDE,
        "Quantizer": _NO_QUANTIZATION,
        "quantizers": _NO_QUANTIZATION,
        "remat": _NO_REMATERIALIZATION,
        "RematScope": _NO_REMATERIALIZATION,
        "visualization": _OUTSIDE,
    },
    "callbacks": {"OrbaxCheckpoint": "writes JAX's file format; ModelCheckpoint writes Keras's"},
    "config": {
        **dict.fromkeys(
            ("disable_flash_attention", "enable_flash_attention", "is_flash_attention_enabled"),
            "no backend has a kernel of that name to switch on",
        ),
        "is_nnx_enabled": "a switch of JAX's Flax",
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
    },
    "layers": {
        **dict.fromkeys(
            ("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"),
            "they run other frameworks",
        ),
    },
    "ops": {"jvp": _FORWARD_MODE},
    "ops.linalg": {"jvp": _FORWARD_MODE},
}
